"""Predictions that are too alike to come from two trainings.

Two networks that were trained apart never agree in every voxel of a structure of some size, nor in
every digit of its scores: one such case is evidence, however many others differ. What decides a
training (`_decides`) may be the same in two cells, as where two fractions come to the same
patients, or where weights are used directly under two names: then they may.

Copies that were blurred are told by how near they lie to each other, measured by how far they lie
from the reference: two trainings of one network err apart, a copy with noise errs alike. In 24,504
pairs of the records in `results/`, the median over structures of `_nearness` was 0.116 or more; in
copies of them whose scores and volumes had noise of 1%, 0.065 or less.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.design.cell import DIRECT
from voxbench.records import Record
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.records.predictions import prediction_path
from voxbench.submission.bundle import Bundle
from voxbench.submission.diagnostics import Diagnostic, error, warning
from voxbench.submission.evidence import Evidence
from voxbench.submission.labelmap import MOST_VOXELS, SubmittedMap, read_map

NEAR_DICE = 0.999  # Dice of two label maps over all classes
NEAR = 0.1  # of the distance to the reference
_TELLING = 100  # a Dice that is a fraction of numbers up to this may be met by chance
_PROOF = 3  # equal scores that tell, from which on no chance explains them
_ROWS = 6  # structures that a median rests on


class _Pair(NamedTuple):
    one: Record
    other: Record

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(record.key for record in self)


def check_duplicates(
    bundle: Bundle, digests: Mapping[tuple[str, str], str], evidence: Evidence
) -> Iterator[Diagnostic]:
    """Errors for equal or near-identical predictions, warnings for scores that are too near.

    Args:
        bundle: that is open.
        digests: (key, case) → sha256 of the voxels, of maps that tell.
        evidence: with the results that are known.
    """
    yield from _equal_maps(bundle.records, digests)
    others = [r for key, r in evidence.records.items() if key not in bundle.records]
    records = [r for r in (*bundle.records.values(), *others) if _has_scores(r)]
    told = set()
    for pair, count in _equal_scores(bundle, records):
        told.add(pair.keys)
        yield _equal(pair, count, bundle)
    for pair, nearness in _near(bundle, records):
        if pair.keys not in told and _decides(pair.one) != _decides(pair.other):
            yield _judged(pair, nearness, bundle, evidence)


def _has_scores(record: Record) -> bool:
    return record.status == "ok" and bool(record.cases) and not record.imported


def _decides(record: Record) -> str:
    """All that a prediction depends on; without training, neither seed, draw nor cases."""
    weights = record.weights.sha256 if record.weights else None
    recipe = record.cell.get("recipe")
    shared = [record.cell.get("adaptation"), record.arm.network, weights, recipe]
    if record.cell.get("source"):  # weights made by a method: their hash is the submitter's word
        shared += [record.cell.get(name) for name in ("baseline", "source", "pretraining")]
    if record.arm.adaptation in DIRECT:
        return json.dumps(shared)
    trained = sorted(record.data.train) if record.data else []
    return json.dumps([*shared, record.arm.seed, record.arm.draw, trained])


def _pairs(group: Iterable[Record], own: Mapping[str, Record]) -> Iterator[_Pair]:
    """Pairs of two trainings, one of them of the bundle at least."""
    for pair in combinations({record.key: record for record in group}.values(), 2):
        if any(record.key in own for record in pair) and _decides(pair[0]) != _decides(pair[1]):
            yield _Pair(*sorted(pair, key=lambda record: (record.key not in own, record.key)))


def _equal_maps(
    records: Mapping[str, Record], digests: Mapping[tuple[str, str], str]
) -> Iterator[Diagnostic]:
    """The same voxels in any case of two records, whatever their scores and names say."""
    holders: dict[str, list[Record]] = defaultdict(list)
    for (key, _), digest in digests.items():
        holders[digest].append(records[key])
    counts: dict[frozenset[str], int] = defaultdict(int)
    for group in holders.values():
        for pair in _pairs(group, records):
            counts[pair.keys] += 1
    for keys, count in counts.items():
        one, other = sorted(keys)
        cases = f"{count} of {len(records[one].cases)} cases"
        yield error("the same label maps in two trainings", f"{one} and {other}: {cases}")


def _equal_scores(bundle: Bundle, records: Iterable[Record]) -> Iterator[tuple[_Pair, int]]:
    """Pairs with the same scores in all digits in any case, and how many of these tell.

    By value, so that other names of tasks, cases and classes hide nothing.
    """
    holders: dict[bytes, list[tuple[Record, CaseScores]]] = defaultdict(list)
    for record in records:
        for case in record.cases:
            if digest := _digest(case):
                holders[digest].append((record, case))
    counts: dict[frozenset[str], int] = defaultdict(int)
    found: dict[frozenset[str], _Pair] = {}
    for group in holders.values():
        if len(group) < 2 or not (telling := sum(map(_tells, group[0][1].classes.values()))):
            continue
        for pair in _pairs((record for record, _ in group), bundle.records):
            found[pair.keys] = pair
            counts[pair.keys] += telling
    yield from ((pair, counts[keys]) for keys, pair in found.items())


def _digest(case: CaseScores) -> bytes:
    """Of all scores of a case; none where every structure is missed or perfect."""
    rows = sorted(
        (s.dice, s.nsd, s.hd95_mm, s.volume_mm3_prediction, s.volume_mm3_reference)
        for s in case.classes.values()
        if 0 < s.dice < 1
    )
    return hashlib.sha256(np.array(rows).tobytes()).digest() if rows else b""


def _tells(score: ClassScores) -> bool:
    """Whether another training would hardly have this Dice: no fraction of small numbers."""
    if not 0 < score.dice < 1:
        return False
    return abs(float(Fraction(score.dice).limit_denominator(_TELLING)) - score.dice) > 1e-9


def _equal(pair: _Pair, count: int, bundle: Bundle) -> Diagnostic:
    told = f"{_names(pair, bundle)}: {count} structure{'s' if count > 1 else ''}"
    if count >= _PROOF:
        return error("the same scores, to the last digit, of two trainings", told)
    return warning("the same scores, to the last digit, in a case of two trainings", told)


def _near(bundle: Bundle, records: Iterable[Record]) -> Iterator[tuple[_Pair, float]]:
    """Pairs on one task that lie nearer to each other than two trainings do, and how near."""
    tasks: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        tasks[record.arm.task].append(record)
    for group in tasks.values():
        dice, volume = _columns(group)
        for i, record in enumerate(group):
            if record.key in bundle.records:
                nearness = _nearness(dice[i], volume[i], dice[i + 1 :], volume[i + 1 :])
                for j in np.flatnonzero(nearness < NEAR):
                    yield _Pair(record, group[i + 1 + j]), float(nearness[j])


def _columns(group: list[Record]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Dice and predicted volumes, (record, structure); NaN where a record lacks it."""
    told = [
        {(case.case, name): s for case in record.cases for name, s in case.classes.items()}
        for record in group
    ]
    names = list(dict.fromkeys(name for own in told for name in own))
    dice = [[own[name].dice if name in own else np.nan for name in names] for own in told]
    volume = [
        [own[name].volume_mm3_prediction if name in own else np.nan for name in names]
        for own in told
    ]
    return np.array(dice, np.float64), np.array(volume, np.float64)


def _nearness(
    dice: NDArray[np.float64],
    volume: NDArray[np.float64],
    dices: NDArray[np.float64],
    volumes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How near a record lies to each of others, as a share of how far both are from the reference.

    Args:
        dice: (structure,) of the record.
        volume: (structure,), predicted.
        dices: (record, structure) of the others.
        volumes: (record, structure), predicted.

    Returns:
        (record,): the median over the structures that both find, neither perfectly, of the larger
        of the difference in Dice and the relative difference in volume, divided by 1 − mean Dice;
        infinite where these are too few.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        missing = 1 - (dice + dices) / 2
        apart = np.maximum(np.abs(dice - dices), 2 * np.abs(volume - volumes) / (volume + volumes))
        both = (dice > 0) & (dice < 1) & (dices > 0) & (dices < 1) & np.isfinite(apart)
        shares = np.where(both, apart / missing, np.nan)
    enough = np.count_nonzero(both, axis=1) >= _ROWS
    found = np.full(len(dices), np.inf)
    found[enough] = np.nanmedian(shares[enough], axis=1)
    return found


def _judged(pair: _Pair, nearness: float, bundle: Bundle, evidence: Evidence) -> Diagnostic:
    """An error where label maps prove a copy, else a warning."""
    names = _names(pair, bundle)
    compared = [d for d in _map_dices(pair, bundle, evidence) if d > NEAR_DICE]
    if compared:
        cases = f"{len(compared)} of {len(pair.one.cases)} cases"
        return error(f"near-identical predictions (Dice > {NEAR_DICE})", f"{names}: {cases}")
    return warning(
        "two trainings that are nearer to each other than trainings are",
        f"{names}: {nearness:.1%} of their distance to the reference",
    )


def _names(pair: _Pair, bundle: Bundle) -> str:
    return " and ".join(
        f"{r.key} ({r.arm.baseline}, {r.arm.fraction}, seed {r.arm.seed}"
        f"{'' if r.key in bundle.records else ', in the results'})"
        for r in pair
    )


def _map_dices(pair: _Pair, bundle: Bundle, evidence: Evidence) -> Iterator[float]:
    """Dice between the label maps of each case that both have here."""
    for case in pair.one.cases:
        one, other = (_map(record, case.case, bundle, evidence) for record in pair)
        if one and other and one.labels.shape == other.labels.shape and one.labels.any():
            yield _dice(one.labels, other.labels)


def _map(record: Record, case: str, bundle: Bundle, evidence: Evidence) -> SubmittedMap | None:
    try:
        if record.key in bundle.records:
            found = bundle.has_map(record.key, case)
            return bundle.read_map(record.key, case) if found else None
        path = evidence.results and prediction_path(evidence.results, record.key, case)
        if not path or not path.is_file() or path.stat().st_size > MOST_VOXELS:
            return None
        return read_map(path.read_bytes())
    except ValueError:
        return None  # told where the label maps are scored


def _dice(one: NDArray[np.integer], other: NDArray[np.integer]) -> float:
    """Dice of two label maps, all classes together."""
    both = int(np.count_nonzero((one == other) & (one > 0)))
    return 2 * both / (int(np.count_nonzero(one)) + int(np.count_nonzero(other)))
