"""Values that no measurement gives: read off a record alone, without any data."""

import math
from collections.abc import Callable, Iterator

from voxbench.metrics import empty
from voxbench.records import Record
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.submission.diagnostics import Diagnostic, error, warning

RELATIVE_ROUNDING = 1e-6
_CONSTANT = 3  # cases from which on one and the same score is no chance
Rule = Callable[[ClassScores], bool]


def check_scores(record: Record) -> Iterator[Diagnostic]:
    """Errors for scores, volumes, flags and costs that can't be."""
    for case in record.cases:
        for name, score in case.classes.items():
            where = f"{record.key} {case.case}, {name}"
            for rule in _broken(score):
                yield error(rule, f"{where}: {_told(score)}")
        yield from _case(record.key, case)
    yield from _constant(record)
    yield from _amounts(record)


def _broken(score: ClassScores) -> Iterator[str]:
    """The rules that a class's scores break; without sound ranges the others mean nothing."""
    ranged = [rule for rule, broken in _RANGES.items() if broken(score)]
    yield from ranged
    if not ranged:
        yield from (rule for rule, broken in _FLAGS[score.flag].items() if broken(score))


def _outside(value: float, high: float = math.inf) -> bool:
    return not math.isnan(value) and not (0 <= value <= high and math.isfinite(value))


def _no_volume(value: float) -> bool:
    return not (0 <= value < math.inf)


def _undefined(score: ClassScores) -> list[bool]:
    return [math.isnan(value) for value in (score.dice, score.nsd, score.hd95_mm)]


def _most(score: ClassScores) -> float:
    """The largest Dice that two masks of these volumes can have."""
    one, other = score.volume_mm3_prediction, score.volume_mm3_reference
    return 2 * min(one, other) / (one + other)


_RANGES: dict[str, Rule] = {
    "Dice is not between 0 and 1": lambda s: _outside(s.dice, 1.0),
    "NSD is not between 0 and 1": lambda s: _outside(s.nsd, 1.0),
    "HD95 is no distance": lambda s: _outside(s.hd95_mm),
    "a volume is negative, infinite or missing": lambda s: (
        _no_volume(s.volume_mm3_prediction) or _no_volume(s.volume_mm3_reference)
    ),
    "an unknown flag": lambda s: s.flag not in _FLAGS,
}
_WORST: Rule = lambda s: (s.dice, s.nsd) != (0, 0) or not s.hd95_mm > 0  # noqa: E731
_FLAGS: dict[str, dict[str, Rule]] = {
    "": {
        "undefined without a flag": lambda s: any(_undefined(s)),
        "scores of an empty mask without a flag": lambda s: (
            0 in (s.volume_mm3_prediction, s.volume_mm3_reference)
        ),
        "Dice is higher than the volumes allow": lambda s: (
            s.volume_mm3_prediction + s.volume_mm3_reference > 0
            and s.dice > _most(s) + RELATIVE_ROUNDING
        ),
        "a perfect Dice with a distance": lambda s: s.dice == 1 and (s.nsd, s.hd95_mm) != (1, 0),
    },
    empty.BOTH_EMPTY: {
        "both masks are empty, but something was measured": lambda s: (
            not all(_undefined(s)) or (s.volume_mm3_prediction, s.volume_mm3_reference) != (0, 0)
        ),
    },
    empty.PREDICTION_EMPTY: {
        "the prediction is empty, but the volumes are not so": lambda s: (
            s.volume_mm3_prediction != 0 or s.volume_mm3_reference == 0
        ),
        "an empty mask has not the worst scores": _WORST,
    },
    empty.REFERENCE_EMPTY: {
        "the reference is empty, but the volumes are not so": lambda s: (
            s.volume_mm3_reference != 0 or s.volume_mm3_prediction == 0
        ),
        "an empty mask has not the worst scores": _WORST,
    },
    empty.FAILED: {
        "a failed prediction has not the worst scores": lambda s: (
            _WORST(s) or s.volume_mm3_prediction != 0
        ),
    },
}  # fmt: skip


def _case(key: str, case: CaseScores) -> Iterator[Diagnostic]:
    """What the classes of one case have in common: the image's diagonal, and whether it failed."""
    flags = [score.flag for score in case.classes.values()]
    if bool(case.failure) != (empty.FAILED in flags) or (
        case.failure and set(flags) != {empty.FAILED}
    ):
        yield error("failure and flags of a case contradict", f"{key} {case.case}")
    one_sided = {empty.PREDICTION_EMPTY, empty.REFERENCE_EMPTY, empty.FAILED}
    diagonals = [s.hd95_mm for s in case.classes.values() if s.flag in one_sided]
    measured = [s.hd95_mm for s in case.classes.values() if not s.flag]
    if not diagonals:
        return
    longest = max(diagonals)
    if longest - min(diagonals) > RELATIVE_ROUNDING * longest:
        yield error("two diagonals of one image", f"{key} {case.case}: {diagonals}")
    if max(measured, default=0.0) > longest * (1 + RELATIVE_ROUNDING):
        yield error("HD95 is longer than the image's diagonal", f"{key} {case.case}")


def _constant(record: Record) -> Iterator[Diagnostic]:
    """One and the same score in every case, for a class that was measured."""
    for name in dict.fromkeys(name for case in record.cases for name in case.classes):
        own = [case.classes[name] for case in record.cases if name in case.classes]
        values = [score.dice for score in own if not score.flag]
        if len(values) >= _CONSTANT and len(set(values)) == 1 and 0 < values[0] < 1:
            yield error("the same Dice in all cases", f"{record.key} {name}: {values[0]:g}")


def _amounts(record: Record) -> Iterator[Diagnostic]:
    cost, weights = record.cost, record.weights
    amounts = cost.model_dump() if cost else {}
    if weights:
        amounts |= weights.model_dump(include={"gpu_hours", "cpu_hours", "volumes", "masks"})
    for name, value in amounts.items():
        if value is not None and not 0 <= value < math.inf:
            yield error("a negative cost", f"{record.key} {name}: {value}")
    if record.status == "ok" and cost is None:
        yield error("no cost", record.key)
    for step, value in (*record.training.items(), *record.validation.items()):
        if step < 0 or not math.isfinite(value):
            yield error("a curve that can't be", f"{record.key} step {step}: {value}")
    shares = weights and (weights.audit.loaded_share, weights.audit.loaded_total_share)
    if shares and not all(0 <= share <= 1 for share in shares):
        yield error("a share of loaded weights outside of 0 to 1", record.key)
    if weights and weights.trusted:
        yield warning("its weights were allowed to run code (--trust)", record.key)


def _told(score: ClassScores) -> str:
    return (
        f"Dice {score.dice:g}, NSD {score.nsd:g}, HD95 {score.hd95_mm:g} mm, volumes "
        f"{score.volume_mm3_prediction:g} and {score.volume_mm3_reference:g} mm³"
        + (f", {score.flag}" if score.flag else "")
    )
