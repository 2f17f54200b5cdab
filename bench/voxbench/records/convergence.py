"""Whether a training has converged, by its curves and its predictions; made for every record anew.

The rule, of one training or of several of an arm, whose curves are averaged step by step. It has
not converged if

- a class that the reference has was predicted in no test case (by one training is enough), or
- the validation still rises: its mean Dice over the last third of the steps lies more than 0.05
  above that over the middle third, or
- where there is no such curve, the loss still falls: its mean over the last quarter lies more than
  0.05 below that over the quarter before; within two standard errors of none it is unknown.

The validation decides over the loss, which goes on falling where cases are learnt by heart. It is
of whole cases, or of windows that stand for them; where an older record's is of patches about
structures, it can say no, and else it is unknown.

A rate that is annealed to 0 flattens the end of every curve and lifts it above its middle, whatever
more steps would bring. 0.05 lies between the trainings that three times the steps lift by less than
0.03 Dice and those that they lift by more (docs/measurements.md). The rule sees one that stopped
too early. It does not see one that never went anywhere, nor what another recipe would reach; what
longer trainings of the same arm reach, `analyses.more_steps` compares.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Literal, NamedTuple

import numpy as np

from voxbench.design.cell import DIRECT
from voxbench.records.scored import Scored, scores_of
from voxbench.records.scores import NUMBERS

LARGEST_RISE = 0.05
LARGEST_FALL = 0.05
_FEWEST = 2  # points of a curve in each of the parts that are compared

Word = Literal["yes", "no", "unknown", ""]


class Convergence(NamedTuple):
    """Whether a training has converged.

    Attributes:
        word: yes, no or unknown; "" where nothing was trained.
        reason: of a no or an unknown.
    """

    word: Word
    reason: str = ""

    @property
    def note(self) -> str:
        """What a reader must know: "" but where it has not converged."""
        return f"not converged: {self.reason}" if self.word == "no" else ""


def convergence(records: Sequence[Scored]) -> Convergence:
    """That of the finished trainings of an arm, under one recipe; of one record as well.

    Raises:
        RecordError: the scores of a record can't be read.
    """
    if records and all(record.arm.adaptation in DIRECT for record in records):
        return Convergence("")
    missed = Counter(name for record in records for name in _never_predicted(record))
    found = [_rise([r.validation for r in records]), _fall([r.training for r in records])]
    known = next((one for one in found if one is not None), None)
    reasons = [f"{name} is never predicted{_of(n, len(records))}" for name, n in missed.items()]
    if reasons or known:
        reasons += [known] if known else []
        return Convergence("no", "; ".join(reasons))
    if known is None:
        return Convergence("unknown", "no curve is long and steady enough")
    if found[0] is not None and any(map(_saw_patches, records)):
        return Convergence("unknown", "its validation looked at patches about structures")
    return Convergence("yes")


def mean_curve(curves: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """The mean of several curves, step by step; steps that one of them lacks are left out."""
    steps = set.intersection(*(set(curve) for curve in curves)) if curves else set()
    return {step: fmean(curve[step] for curve in curves) for step in sorted(steps)}


def _saw_patches(record: Scored) -> bool:
    """Its validation saw nothing of what is predicted far from structures."""
    recipe = record.cell.get("recipe") or {}
    return not record.validation_of and recipe.get("selection") != "best"


def _of(count: int, runs: int) -> str:
    return f" in {count} of {runs} runs" if runs > 1 else ""


def _rise(curves: Sequence[Mapping[int, float]]) -> str | None:
    """What is said of a validation that rises; "" if it does not, None where it can't be told."""
    parts = _parted(curves, 1 / 3, 2 / 3)
    if parts is None:
        return None
    rise = float(parts[1].mean() - parts[0].mean())
    if rise <= LARGEST_RISE:
        return ""
    return f"validation still rises, by {rise:.2f} Dice over the last third of the steps"


def _fall(curves: Sequence[Mapping[int, float]]) -> str | None:
    """What is said of a loss that falls; "" if it does not, None where it can't be told."""
    quarters = _parted(curves, 1 / 2, 3 / 4)
    if quarters is None:
        return None
    fall = float(quarters[0].mean() - quarters[1].mean())
    error = sum(float(own.var(ddof=1)) / len(own) for own in quarters) ** 0.5
    if fall <= LARGEST_FALL:
        return ""
    if fall <= 2 * error:
        return None
    return f"loss still falls, by {fall:.2f} in the last quarter of the steps"


def _parted(
    curves: Sequence[Mapping[int, float]], first: float, last: float
) -> "tuple[np.ndarray, np.ndarray] | None":
    """The mean curve between two shares of the steps and beyond; None if it is too short."""
    curve = mean_curve(curves)
    if not curve:
        return None
    values = np.array(list(curve.values()))
    share = np.array(list(curve)) / max(curve)
    before, end = values[(share > first) & (share <= last)], values[share > last]
    return (before, end) if min(len(before), len(end)) >= _FEWEST else None


def _never_predicted(record: Scored) -> list[str]:
    """The classes that the reference has somewhere and the predictions nowhere.

    A case that could not be predicted says nothing of it, nor do scores without volumes.
    """
    scores = scores_of(record)
    told = scores.flags != "failed"
    predicted, reference = (
        scores.numbers[:, NUMBERS.index(f"volume_mm3_{side}")]
        for side in ("prediction", "reference")
    )
    missed = []
    for index, name in enumerate(scores.names):
        rows = told & (scores.name == index)
        if (reference[rows] > 0).any() and (predicted[rows] == 0).all():
            missed.append(name)
    return missed
