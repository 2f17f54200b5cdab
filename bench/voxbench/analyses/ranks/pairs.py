"""Every arm of a board against every other: effects, intervals and tests from shared draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from voxbench.analyses.effects import covered
from voxbench.analyses.ranks.board import Board, patient_means
from voxbench.stats.arrays import Array, defined, nanmean
from voxbench.stats.bootstrap import (
    Estimates,
    Sample,
    estimate,
    infer_means,
    infer_task,
    points_of,
)
from voxbench.stats.inference import Inference, Judged, infer_over_tasks, judge
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.stats.moderated import moderated, moderated_luck
from voxbench.stats.paired import benjamini_hochberg, effect_verdict, wilcoxon, worded
from voxbench.stats.permutation import pair_contrasts, sign_flip
from voxbench.stats.student import Spread


class PairDecision(NamedTuple):
    """What is decided of two arms of a board: all that a ranking needs.

    Attributes:
        arm, other: their places on the board.
        patients: with a score in both, over all tasks.
        judged: arm − other as one of all pairs.
        verdict: better, worse, equivalent, undecided; "" where nothing could be compared.
        alarms, alarms_verdict: the same by false alarms.
    """

    arm: int
    other: int
    patients: int
    judged: Judged
    verdict: str
    alarms: Interval
    alarms_verdict: str


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
        verdict: better, worse, equivalent, undecided; head start and behind where the arm that lies
            behind has not converged.
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


def decide_pairs(
    board: Board, found: Estimates, heard: Estimates | None, margin: float
) -> list[PairDecision]:
    """Of all pairs of a board; the declared family is all of them.

    A pair uses the patients and runs that both arms have.

    Args:
        board: the arms.
        found: their estimates.
        heard: the same by false alarms, if there are any.
        margin: of practical equivalence.
    """
    contrasts, sides = pair_contrasts(len(board.arms))
    judged = judge(_inference(board, found, contrasts, sides))
    patients = _patients(board, sides)
    silent = [(UNDEFINED, "")] * len(sides)
    alarms = _alarms(board.alarms, heard) if board.alarms and heard else silent
    decided, most = [], board.metric.most
    for own, count, side, told in zip(judged, patients, sides, alarms, strict=True):
        effect, alone = (end.within(-most, most) for end in own[:2])
        word = effect_verdict(effect, count, margin, board.metric.sign) if count else ""
        judgement = own._replace(together=effect, alone=alone)
        decided.append(PairDecision(*side, count, judgement, word, *told))
    return decided


def all_pairs(board: Board, decided: Sequence[PairDecision]) -> list[PairRow]:
    """The rows of decisions, with the tests beside them that decide nothing."""
    contrasts, sides = pair_contrasts(len(board.arms))
    means = [patient_means(sample) for sample in board.samples]
    differences = np.concatenate([_apart(found, sides) for found in means])
    flipped = _flip(means, contrasts, sides)
    discovered = benjamini_hochberg([own.judged.p for own in decided])
    covers = covered(board.samples[0]) if len(board.samples) == 1 else "tasks"
    return [
        PairRow(
            arm=board.arms[own.arm],
            other=board.arms[own.other],
            patients=own.patients,
            effect=own.judged.together,
            alone=own.judged.alone,
            p=own.judged.p,
            p_adjusted=own.judged.p_adjusted,
            p_bh=discovered[i],
            covers=covers,
            p_patients=wilcoxon(differences[:, i]),
            p_flip=float(flipped[i]),
            verdict=_worded(board, own),
            alarms=own.alarms,
            alarms_verdict=own.alarms_verdict,
        )
        for i, own in enumerate(decided)
    ]


def _worded(board: Board, own: PairDecision) -> str:
    return worded(
        own.verdict, *(board.arms[at] in board.unconverged for at in (own.arm, own.other))
    )


def _alarms(alarms: Board, heard: Estimates) -> list[tuple[Interval, str]]:
    """Effect and verdict of each pair by false alarms."""
    contrasts, sides = pair_contrasts(len(alarms.arms))
    judged = judge(_inference(alarms, heard, contrasts, sides))
    metric = alarms.metric
    found: list[tuple[Interval, str]] = []
    for own, count in zip(judged, _patients(alarms, sides), strict=True):
        effect = own.together.within(-metric.most, metric.most)
        word = effect_verdict(effect, count, metric.margin, metric.sign) if count else ""
        found.append((effect, word))
    return found


def _patients(board: Board, sides: Sequence[tuple[int, int]]) -> list[int]:
    """With a score in both arms of each pair, over all tasks."""
    known = [(~np.isnan(patient_means(sample))).astype(np.float64) for sample in board.samples]
    both = np.sum([own.T @ own for own in known], axis=0)
    return [int(both[side]) for side in sides]


def _inference(
    board: Board,
    found: Estimates,
    contrasts: Array,
    sides: Sequence[tuple[int, int]],
) -> Inference:
    """Of each pair.

    Where nothing is undefined the differences of the arms' estimates are those of the pairs.
    """
    if len(board.samples) > 1 and not any(_gaps(sample.values) for sample in board.samples):
        return infer_over_tasks(found.points @ contrasts)
    paired = [_paired(sample, sides) for sample in board.samples]
    if len(paired) > 1:
        return infer_over_tasks(points_of(paired))
    if _gaps(board.samples[0].values):
        alone = infer_means(estimate(paired), paired)
    else:
        drawn, points = _apart(found.drawn[0], sides), found.points[0] @ contrasts
        alone = infer_task(drawn, points, paired[0])
    return alone._replace(known=_moderated(alone.known, board.samples[0], paired[0], sides))


def _moderated(
    known: Spread, scores: Sample, paired: Sample, sides: Sequence[tuple[int, int]]
) -> Spread:
    """The arms of a task know of each other's seeds."""
    if scores.folded or len(set(scores.draws)) > 1:
        return known
    luck = moderated_luck(nanmean(scores.values, axis=1))
    return moderated(known, luck, sides, defined(nanmean(paired.values, axis=1).T))


def _gaps(values: Array) -> bool:
    """Whether a patient has a score in some arms or runs only."""
    undefined = np.isnan(values)
    return bool((undefined.any(axis=(0, 2)) & ~undefined.all(axis=(0, 2))).any())


def _paired(sample: Sample, sides: Sequence[tuple[int, int]]) -> Sample:
    first, second = (list(side) for side in zip(*sides, strict=True))
    return sample.with_values(sample.values[first] - sample.values[second])


def _apart(means: Array, sides: Sequence[tuple[int, int]]) -> Array:
    """The difference of each pair of arms, (…, pair), pair after pair in memory."""
    first, second = (list(side) for side in zip(*sides, strict=True))
    by_arm = np.ascontiguousarray(means.T)
    apart = by_arm[first]
    apart -= by_arm[second]
    return apart.T


def _flip(
    means: Sequence[Array],
    contrasts: Array,
    sides: Sequence[tuple[int, int]],
) -> Array:
    """Patients weigh so that every task counts once, as in the effect."""
    known = [found[~np.isnan(found).all(axis=1)] for found in means]
    if any(np.isnan(found).any() for found in known):
        paired = [_apart(found, sides) for found in known]
        count = [np.maximum((~np.isnan(found)).sum(axis=0), 1) for found in paired]
        weighed = [found / n for found, n in zip(paired, count, strict=True)]
        return sign_flip(np.concatenate(weighed), None)
    scaled = np.concatenate([found / max(1, len(found)) for found in known])
    return sign_flip(scaled, contrasts)
