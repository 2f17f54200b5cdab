"""Every arm of a board against every other: effects, intervals and tests from shared draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxbench.analyses.effects import covered
from voxbench.analyses.ranks.board import Board, patient_means
from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import Estimates, Sample, estimate, infer_means
from voxbench.stats.interval import UNDEFINED, Inference, Interval, infer, infer_over_tasks, judge
from voxbench.stats.paired import benjamini_hochberg, effect_verdict, wilcoxon
from voxbench.stats.permutation import pair_contrasts, sign_flip
from voxbench.stats.student import spread


@dataclass(frozen=True)
class PairRow:
    """Arm − other over the board's tasks, in the metric's unit.

    Attributes:
        patients: with a score in both, over all tasks.
        effect: with an interval that holds at once with those of all pairs; alone: with its own.
        p: of the mean: over patients and runs, with several tasks over these.
        p_adjusted: by Bonferroni, p_bh: by Benjamini and Hochberg, over all pairs of the board.
        covers: whose luck p and intervals know of.
        p_patients: Wilcoxon's signed-rank; p_flip: sign-flip of the mean; both know patients only.
        verdict: better, worse, equivalent, undecided.
        alarms: of the share of absent structures that are predicted, arm − other, with an interval
            that holds at once with those of all pairs; NaN where the reference lacks none.
        alarms_verdict: by it; fewer are better.
    """

    arm: str
    other: str
    patients: int
    effect: Interval
    alone: Interval
    p: float
    p_adjusted: float
    p_bh: float
    covers: str
    p_patients: float
    p_flip: float
    verdict: str
    alarms: Interval
    alarms_verdict: str


def all_pairs(board: Board, margin: float, found: Estimates) -> list[PairRow]:
    """All pairs of a board; the declared family is all of them.

    A pair uses the patients and runs that both arms have. `found` are the arms' estimates.
    """
    contrasts, sides = pair_contrasts(len(board.arms))
    judged = judge(_inference(board, found, contrasts, sides))
    means = [patient_means(sample) for sample in board.samples]
    differences = np.concatenate([_differences(found, sides) for found in means])
    flipped = _flip(means, contrasts, sides)
    discovered = benjamini_hochberg([own.p for own in judged])
    patients = (~np.isnan(differences)).sum(axis=0)
    alarms = _alarms(board)
    covers = covered(board.samples[0].draws) if len(board.samples) == 1 else "tasks"
    rows, most = [], board.metric.most
    for i, own in enumerate(judged):
        effect, alone = (interval.within(-most, most) for interval in own[:2])
        word = effect_verdict(effect, int(patients[i]), margin, board.metric.sign)
        arm, other = (board.arms[side] for side in sides[i])
        rows.append(
            PairRow(
                arm, other, int(patients[i]), effect, alone, own.p, own.p_adjusted, discovered[i],
                covers, wilcoxon(differences[:, i]), float(flipped[i]),
                word if patients[i] else "", *alarms.get((arm, other), (UNDEFINED, "")),
            )
        )  # fmt: skip
    return rows


def _alarms(board: Board) -> dict[tuple[str, str], tuple[Interval, str]]:
    """Effect and verdict of each pair by false alarms."""
    alarms = board.alarms
    if alarms is None:
        return {}
    contrasts, sides = pair_contrasts(len(alarms.arms))
    judged = judge(_inference(alarms, estimate(alarms.samples), contrasts, sides))
    known = [_differences(patient_means(sample), sides) for sample in alarms.samples]
    patients = (~np.isnan(np.concatenate(known))).sum(axis=0).tolist()
    found: dict[tuple[str, str], tuple[Interval, str]] = {}
    for own, count, (one, other) in zip(judged, patients, sides, strict=True):
        effect = own.together.within(-alarms.metric.most, alarms.metric.most)
        word = effect_verdict(effect, count, alarms.metric.margin, alarms.metric.sign)
        found[alarms.arms[one], alarms.arms[other]] = (effect, word if count else "")
    return found


def _inference(
    board: Board,
    found: Estimates,
    contrasts: Array,
    sides: Sequence[tuple[int, int]],
) -> Inference:
    """Of each pair.

    Where nothing is undefined the differences of the arms' estimates are those of the pairs.
    """
    paired = [_paired(sample, sides) for sample in board.samples]
    if any(_gaps(sample.values) for sample in board.samples):
        return infer_means(estimate(paired), paired)
    points = found.points @ contrasts
    if len(paired) > 1:
        return infer_over_tasks(points)
    return infer(found.drawn[0] @ contrasts, points[0], spread(*paired[0]))


def _gaps(values: Array) -> bool:
    """Whether a patient has a score in some arms or runs only."""
    undefined = np.isnan(values)
    return bool((undefined.any(axis=(0, 2)) & ~undefined.all(axis=(0, 2))).any())


def _paired(sample: Sample, sides: Sequence[tuple[int, int]]) -> Sample:
    first, second = (list(side) for side in zip(*sides, strict=True))
    return Sample(sample.values[first] - sample.values[second], sample.draws)


def _differences(means: Array, sides: Sequence[tuple[int, int]]) -> Array:
    """(patient, pair)."""
    first, second = (list(side) for side in zip(*sides, strict=True))
    return means[:, first] - means[:, second]


def _flip(
    means: Sequence[Array],
    contrasts: Array,
    sides: Sequence[tuple[int, int]],
) -> Array:
    """Patients weigh so that every task counts once, as in the effect."""
    known = [found[~np.isnan(found).all(axis=1)] for found in means]
    if any(np.isnan(found).any() for found in known):
        paired = [_differences(found, sides) for found in known]
        count = [np.maximum((~np.isnan(found)).sum(axis=0), 1) for found in paired]
        weighed = [found / n for found, n in zip(paired, count, strict=True)]
        return sign_flip(np.concatenate(weighed), None)
    scaled = np.concatenate([found / max(1, len(found)) for found in known])
    return sign_flip(scaled, contrasts)
