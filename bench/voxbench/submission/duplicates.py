"""Predictions that are too alike to come from two trainings.

Two networks that were trained apart never agree in every voxel, nor in every digit of every
score. What decides a training (`_decides`) may be the same in two cells, as where two fractions
come to the same patients, or where weights are used directly under two names: then they may.

Two label maps with a Dice of more than 0.999 have volumes within 0.2% of each other and scores
that are about as close, so that only pairs with such scores are looked at voxel by voxel.
"""

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.design.cell import DIRECT
from voxbench.records import Record
from voxbench.records.predictions import prediction_path
from voxbench.submission.bundle import Bundle
from voxbench.submission.diagnostics import Diagnostic, error, warning
from voxbench.submission.evidence import Evidence
from voxbench.submission.labelmap import MOST_VOXELS, SubmittedMap, read_map

NEAR_DICE = 0.999  # Dice of two label maps over all classes
_VOLUMES = 0.0021  # share by which volumes of near-identical maps may differ
_SCORES = 0.005
_INFORMATIVE = 3  # scores between nothing and perfect that a comparison rests on


class _Entry(NamedTuple):
    record: Record
    own: bool
    dice: NDArray[np.float64]
    volume: NDArray[np.float64]
    digest: bytes


def check_duplicates(
    bundle: Bundle, digests: Mapping[tuple[str, str], str], evidence: Evidence
) -> Iterator[Diagnostic]:
    """Errors for equal or near-identical predictions, warnings where only scores are near."""
    yield from _equal_maps(bundle.records, digests)
    others = [r for key, r in evidence.records.items() if key not in bundle.records]
    for entries in _comparable(bundle.records.values(), others):
        for one, other in _near(entries):
            if _decides(one.record) != _decides(other.record):
                yield from _judge(one, other, bundle, evidence)


def _comparable(own: Iterable[Record], others: Iterable[Record]) -> Iterator[list[_Entry]]:
    """Records with scores of the same cases and classes, by the sum of their volumes."""
    groups: dict[tuple[object, ...], list[_Entry]] = defaultdict(list)
    for ours, records in ((True, own), (False, others)):
        for record in records:
            if record.status == "ok" and record.cases and not record.imported:
                groups[_tested(record)].append(_entry(record, ours))
    for entries in groups.values():
        yield sorted(entries, key=lambda entry: float(entry.volume.sum()))


def _tested(record: Record) -> tuple[object, ...]:
    return record.arm.task, *((case.case, *case.classes) for case in record.cases)


def _entry(record: Record, own: bool) -> _Entry:
    scores = [score for case in record.cases for score in case.classes.values()]
    told = [(s.dice, s.nsd, s.hd95_mm, s.volume_mm3_prediction) for s in scores]
    table = np.array(told, np.float64).reshape(-1, 4)
    digest = hashlib.sha256(np.where(np.isnan(table), -1.0, table).tobytes()).digest()
    return _Entry(record, own, table[:, 0], table[:, 3], digest)


def _near(entries: list[_Entry]) -> Iterator[tuple[_Entry, _Entry]]:
    """Pairs, one of them of the bundle at least, whose scores and volumes are nearly the same."""
    for i, one in enumerate(entries):
        limit = float(one.volume.sum()) * (1 + _VOLUMES)
        for other in entries[i + 1 :]:
            if float(other.volume.sum()) > limit:
                break
            if (one.own or other.own) and _alike(one, other):
                yield one, other


def _alike(one: _Entry, other: _Entry) -> bool:
    informative = (one.dice > 0) & (one.dice < 1) & (other.dice > 0)
    return bool(
        np.count_nonzero(informative) >= _INFORMATIVE
        and np.allclose(one.volume, other.volume, rtol=_VOLUMES, atol=0, equal_nan=True)
        and np.allclose(one.dice, other.dice, rtol=0, atol=_SCORES, equal_nan=True)
    )


def _decides(record: Record) -> str:
    """All that a prediction depends on; without training, neither seed, draw nor cases."""
    weights = record.weights.sha256 if record.weights else None
    recipe = record.cell.get("recipe")
    shared = [record.arm.adaptation, record.arm.network, weights, recipe]
    if record.cell.get("source"):  # weights made by a method: their hash is the submitter's word
        shared += [record.cell.get(name) for name in ("baseline", "source", "pretraining")]
    if record.arm.adaptation in DIRECT:
        return json.dumps(shared)
    trained = sorted(record.data.train) if record.data else []
    return json.dumps([*shared, record.arm.seed, record.arm.draw, trained])


def _judge(one: _Entry, other: _Entry, bundle: Bundle, evidence: Evidence) -> Iterator[Diagnostic]:
    names = f"{_name(one)} and {_name(other)}"
    if one.digest == other.digest:
        yield error("the same scores, to the last digit, of two trainings", names)
        return
    found = _least(one, other, bundle, evidence)
    if found is None:
        yield warning("nearly the same scores and volumes in every case of two trainings", names)
    elif found > NEAR_DICE:
        yield error(f"near-identical predictions (Dice > {NEAR_DICE})", f"{names}: {found:.5f}")


def _name(entry: _Entry) -> str:
    arm = entry.record.arm
    where = "" if entry.own else ", in the results"
    return f"{entry.record.key} ({arm.baseline}, {arm.fraction}, seed {arm.seed}{where})"


def _least(one: _Entry, other: _Entry, bundle: Bundle, evidence: Evidence) -> float | None:
    """The smallest Dice between the label maps of any case; None if they are not all here."""
    least = math.inf
    for case in one.record.cases:
        pair = [_map(entry, case.case, bundle, evidence) for entry in (one, other)]
        if pair[0] is None or pair[1] is None:
            return None
        least = min(least, _dice(pair[0].labels, pair[1].labels))
        if least <= NEAR_DICE:
            return least
    return least


def _map(entry: _Entry, case: str, bundle: Bundle, evidence: Evidence) -> SubmittedMap | None:
    try:
        if entry.own:
            found = bundle.has_map(entry.record.key, case)
            return bundle.read_map(entry.record.key, case) if found else None
        path = evidence.results and prediction_path(evidence.results, entry.record.key, case)
        if not path or not path.is_file() or path.stat().st_size > MOST_VOXELS:
            return None
        return read_map(path.read_bytes())
    except ValueError:
        return None  # told where the label maps are scored


def _dice(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Dice of two label maps, all classes together; of two empty ones 1."""
    if one.shape != other.shape:
        return 0.0
    both = int(np.count_nonzero((one == other) & (one > 0)))
    total = int(np.count_nonzero(one)) + int(np.count_nonzero(other))
    return 2 * both / total if total else 1.0


def _equal_maps(
    records: Mapping[str, Record], digests: Mapping[tuple[str, str], str]
) -> Iterator[Diagnostic]:
    """The same voxels in all cases of two records, whatever their scores say."""
    whole: dict[tuple[tuple[str, str], ...], list[Record]] = defaultdict(list)
    for key, record in records.items():
        cases = (case.case for case in record.cases)
        own = tuple((case, digests[key, case]) for case in cases if (key, case) in digests)
        if own:
            whole[own].append(record)
    for group in whole.values():
        apart = {_decides(record): record.key for record in group}
        if len(apart) > 1:
            yield error("the same label maps in two trainings", " and ".join(apart.values()))
