"""Score a bundle's label maps again and hold the result against its records."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from voxbench import metrics
from voxbench.api import Case, TaskCard
from voxbench.data.dataset import Dataset
from voxbench.data.nifti import Volume
from voxbench.data.volumes import read_reference
from voxbench.design.cell import Cell
from voxbench.errors import DataError
from voxbench.records import Record
from voxbench.records.record import CaseScores, ClassScores
from voxbench.submission.bundle import Bundle
from voxbench.submission.diagnostics import Diagnostic, error, unchecked, warning
from voxbench.submission.evidence import Evidence
from voxbench.submission.labelmap import SubmittedMap

TOLERANCE = 1e-5
"""Dice and NSD may differ by so much, distances and volumes by this share: what rounding on
another machine can do is far less, and no claim rests on it."""
_GRID_MM = 1e-3
_RATIOS = ("dice", "nsd")
_AMOUNTS = ("hd95_mm", "volume_mm3_prediction", "volume_mm3_reference")


class Rescored:
    """What came of a bundle's label maps.

    Attributes:
        diagnostics: of maps that are none, lie on another grid, or score otherwise.
        digests: (key, case) → sha256 of the voxels, of maps that are not empty.
        confirmed: keys of records of which every case scores as they say.
    """

    def __init__(self, bundle: Bundle, cells: Mapping[str, Cell], evidence: Evidence) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.digests: dict[tuple[str, str], str] = {}
        self.confirmed: set[str] = set()
        self._bundle = bundle
        self._doubtful: set[str] = set()
        groups: dict[tuple[object, str], list[Record]] = defaultdict(list)
        for key in sorted(bundle.maps.keys() & cells.keys()):
            record = bundle.records[key]
            groups[cells[key].task, record.arm.task].append(record)
        for records in groups.values():
            self._group(records, evidence.find(cells[records[0].key].task, records[0].arm.task))

    def _group(self, records: list[Record], found: Dataset | str) -> None:
        """All records of one task, case by case, so that a reference is read once."""
        tested = {c.id: c for c in found.split.test} if isinstance(found, Dataset) else {}
        if isinstance(found, str):
            task = records[0].arm.task
            self.diagnostics.append(
                unchecked("scores of label maps: no references here", f"{task}: {found}")
            )
        for case in dict.fromkeys(c.case for record in records for c in record.cases):
            reference = self._reference(tested.get(case), found)
            for record in records:
                self._one(record, case, reference, found)
        for record in records:
            self._close(record, whole=isinstance(found, Dataset))

    def _reference(self, case: Case | None, found: Dataset | str) -> Volume | None:
        if case is None or isinstance(found, str):
            return None
        try:
            return read_reference(case, found.card)
        except DataError as problem:
            self.diagnostics.append(unchecked("scores of label maps: a reference", str(problem)))
            return None

    def _one(
        self, record: Record, case: str, reference: Volume | None, found: Dataset | str
    ) -> None:
        told = next((c for c in record.cases if c.case == case), None)
        if told is None or told.failure:
            return
        where = f"{record.key} {case}"
        if not self._bundle.has_map(record.key, case):
            self._doubtful.add(record.key)
            self.diagnostics.append(warning("a case without its label map", where))
            return
        try:
            given = self._bundle.read_map(record.key, case)
        except ValueError as problem:
            self._doubtful.add(record.key)
            self.diagnostics.append(error("not a label map of voxbench", f"{where}: {problem}"))
            return
        if given.labels.any():
            self.digests[record.key, case] = _digest(given)
        if reference is None or isinstance(found, str):
            self._doubtful.add(record.key)
            return
        differing = list(_compare(given, reference, told, found.card))
        self.diagnostics += [error(rule, f"{where}{detail}") for rule, detail in differing]
        if differing:
            self._doubtful.add(record.key)

    def _close(self, record: Record, *, whole: bool) -> None:
        if whole and record.cases and record.key not in self._doubtful:
            self.confirmed.add(record.key)


def _compare(
    given: SubmittedMap, reference: Volume, told: CaseScores, card: TaskCard
) -> Iterator[tuple[str, str]]:
    """What is wrong with one label map: a rule and where."""
    if given.labels.shape != reference.array.shape or not np.allclose(
        given.affine, reference.affine, rtol=0, atol=_GRID_MM
    ):
        yield "a label map on another grid than its reference", f": {given.labels.shape}"
        return
    if (most := int(given.labels.max())) > len(card.classes):
        yield "a label map with more classes than the task has", f": {most}"
        return
    index = {name: i for i, name in enumerate(card.classes, start=1)}
    classes = {name: index[name] for name in told.classes if name in index}
    found = metrics.evaluate(
        given.labels, reference.array, classes, reference.spacing_mm, card.tolerance_mm
    )
    for name, score in found.items():
        if field := _differing(told.classes[name], score):
            stored, measured = getattr(told.classes[name], field), getattr(score, field)
            yield (
                "its label map scores otherwise than the record says",
                f", {name}: {field} {stored} in the record, {measured} measured",
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


def _digest(given: SubmittedMap) -> str:
    return hashlib.sha256(given.labels.tobytes(order="F")).hexdigest()
