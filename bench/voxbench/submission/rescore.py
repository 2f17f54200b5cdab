"""Score a bundle's label maps again and hold the result against its records."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from voxbench import metrics
from voxbench.api import Case, TaskCard
from voxbench.data.dataset import Dataset
from voxbench.data.kept_map import class_indices
from voxbench.data.nifti import Volume
from voxbench.data.scored_as import score_labels
from voxbench.data.volumes import read_raters, read_reference
from voxbench.design.cell import Cell, Ref
from voxbench.design.fold import Fold
from voxbench.errors import DataError
from voxbench.records import Record
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.submission.bundle import Bundle
from voxbench.submission.diagnostics import Diagnostic, error, unchecked, warning
from voxbench.submission.evidence import Evidence
from voxbench.submission.labelmap import SubmittedMap

TOLERANCE = 1e-5
"""Dice and NSD may differ by so much, distances and volumes by this share: what rounding on
another machine can do is far less, and no claim rests on it."""
_GRID_MM = 1e-3
_TELLING = 100  # voxels of a map
_RATIOS = ("dice", "nsd")
_AMOUNTS = ("hd95_mm", "volume_mm3_prediction", "volume_mm3_reference")


class Rescored(NamedTuple):
    """What came of a bundle's label maps.

    Attributes:
        diagnostics: of maps that are none, lie on another grid, or score otherwise.
        digests: (key, case) → sha256 of the voxels, of maps that tell: neither of a few voxels,
            which two networks may agree in, nor perfect by their record.
        confirmed: keys of records of which every case scores as they say.
    """

    diagnostics: list[Diagnostic]
    digests: dict[tuple[str, str], str]
    confirmed: set[str]


def rescore(bundle: Bundle, cells: Mapping[str, Cell], evidence: Evidence) -> Rescored:
    """Read every label map of a bundle that is open, and score it where its reference is here."""
    found = Rescored([], {}, set())
    tasks: dict[tuple[Ref, str, Fold | None], list[Record]] = defaultdict(list)
    for key in sorted(bundle.maps.keys() & cells.keys()):
        cell, record = cells[key], bundle.records[key]
        tasks[cell.task, record.arm.task, cell.fold].append(record)
    for (ref, name, fold), records in tasks.items():
        dataset = evidence.find(ref, name, fold)
        if isinstance(dataset, Dataset):
            found.confirmed.update(record.key for record in records if record.cases)
            _rescore_task(bundle, records, dataset, found)
        else:
            missing = "scores of label maps: no references here"
            found.diagnostics.append(unchecked(missing, f"{name}: {dataset}"))
            _rescore_task(bundle, records, None, found)
    return found


def _rescore_task(
    bundle: Bundle, records: list[Record], dataset: Dataset | None, found: Rescored
) -> None:
    """All records of a task, or of a fold, case by case, so that a reference is read once."""
    tested = {case.id: case for case in dataset.split.test} if dataset else {}
    told = {record.key: {case.case: case for case in record.cases} for record in records}
    for name in dict.fromkeys(name for cases in told.values() for name in cases):
        references = None
        if dataset and name in tested:
            try:
                references = _references(tested[name], dataset.card)
            except DataError as problem:
                missing = "scores of label maps: a reference"
                found.diagnostics.append(unchecked(missing, str(problem)))
        for key, cases in told.items():
            if name in cases and not cases[name].failure:
                doubts = list(_doubts(bundle, key, cases[name], references, found.digests))
                found.diagnostics.extend(doubts)
                if doubts or references is None:
                    found.confirmed.discard(key)


class _References(NamedTuple):
    label: Volume
    raters: Mapping[str, Volume]
    card: TaskCard


def _references(case: Case, card: TaskCard) -> _References:
    label = read_reference(case, card)
    return _References(label, read_raters(case, card, label), card)


def _doubts(
    bundle: Bundle,
    key: str,
    told: CaseScores,
    references: _References | None,
    digests: dict[tuple[str, str], str],
) -> Iterator[Diagnostic]:
    """What is wrong with the label map of one case; its digest is kept."""
    where = f"{key} {told.case}"
    if not bundle.has_map(key, told.case):
        yield warning("a case without its label map", where)
        return
    try:
        given = bundle.read_map(key, told.case)
    except ValueError as problem:
        yield error("not a label map of voxbench", f"{where}: {problem}")
        return
    perfect = all(s.dice == 1 or s.volume_mm3_prediction == 0 for s in told.classes.values())
    if np.count_nonzero(given.labels) >= _TELLING and not perfect:
        content = given.labels.tobytes(order="F")
        digests[key, told.case] = hashlib.sha256(content).hexdigest()
    if references:
        yield from _compare(given, references, told, where)


def _compare(
    given: SubmittedMap, references: _References, told: CaseScores, where: str
) -> Iterator[Diagnostic]:
    """Hold one label map against its references, and its scores against what is told of them."""
    reference, card = references.label, references.card
    if given.labels.shape != reference.array.shape or not np.allclose(
        given.affine, reference.affine, rtol=0, atol=_GRID_MM
    ):
        rule = "a label map on another grid than its reference"
        yield error(rule, f"{where}: {given.labels.shape}")
        return
    try:
        predicted = class_indices(given.labels, card.parts, marked=given.marked)
    except ValueError as problem:
        yield error("a label map with more classes than the task has", f"{where}: {problem}")
        return
    classes = {name: card.indices[name] for name in told.classes if name in card.indices}
    for name, score in score_labels(predicted, reference, classes, card).items():
        if field := _differing(told.classes[name], score):
            stored, measured = getattr(told.classes[name], field), getattr(score, field)
            yield error(
                "its label map scores otherwise than the record says",
                f"{where}, {name}: {field} {stored} in the record, {measured} measured",
            )
    stored = {rater for rater, own in told.raters.items() if own}
    if stored != set(references.raters):
        names = (", ".join(sorted(each)) or "none" for each in (stored, references.raters))
        yield error("other raters than the task has", f"{where}: {' told, '.join(names)} here")
        return
    for rater, drawn in references.raters.items():
        found = score_labels(predicted, drawn, classes, card)
        yield from _compare_dice(found, rater, told.raters[rater], where)


def _compare_dice(
    found: Mapping[str, metrics.ClassMetrics], rater: str, told: Mapping[str, float], where: str
) -> Iterator[Diagnostic]:
    """Hold the Dice with a rater against what is told of it."""
    for name, score in found.items():
        dice = told.get(name, math.inf)
        undefined = math.isnan(dice) and math.isnan(score.dice)
        if not (undefined or abs(dice - score.dice) <= TOLERANCE):
            yield error(
                "its label map scores otherwise than the record says",
                f"{where}, {name} by rater {rater}: dice {dice} in the record, {score.dice} "
                "measured",
            )


def _differing(told: ClassScores, found: metrics.ClassMetrics) -> str | None:
    """The first field that is not the same within the tolerance."""
    for field in (*_RATIOS, *_AMOUNTS):
        one, other = getattr(told, field), getattr(found, field)
        scale = 1.0 if field in _RATIOS else max(abs(one), abs(other))
        apart = abs(one - other) > TOLERANCE * scale
        if apart or math.isnan(one) != math.isnan(other):
            return field
    return "flag" if told.flag != found.flag else None
