"""Every arm of a board against every other: effects, intervals and tests from shared draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxbench.analyses.ranks.board import Board, patient_means
from voxbench.stats.arrays import Array, defined, nanmean
from voxbench.stats.bootstrap import Estimates, Sample, estimate, over_tasks
from voxbench.stats.interval import Interval, intervals_of
from voxbench.stats.paired import ALPHA, benjamini_hochberg, effect_verdict, holm, wilcoxon
from voxbench.stats.permutation import pair_contrasts, sign_flip
from voxbench.stats.student import spread


@dataclass(frozen=True)
class PairRow:
    """Arm − other over the board's tasks, in the metric's unit.

    Attributes:
        patients: with a score in both, over all tasks.
        p: Wilcoxon signed-rank over patients; p_flip: sign-flip of the mean over tasks.
        p_holm, p_bh: of the first, over all pairs of the board.
        separated: Holm's p is below 0.05.
        verdict: better, worse, equivalent, undecided.
    """

    arm: str
    other: str
    patients: int
    effect: Interval
    p: float
    p_flip: float
    p_holm: float
    p_bh: float
    separated: bool
    verdict: str


def all_pairs(board: Board, margin: float, found: Estimates) -> list[PairRow]:
    """All pairs of a board; the declared family is all of them.

    A pair uses the patients and runs that both arms have. `found` are the arms' estimates.
    """
    contrasts, sides = pair_contrasts(len(board.arms))
    effects = _effects(board, found, contrasts, sides)
    means = [patient_means(sample) for sample in board.samples]
    differences = np.concatenate([_differences(found, sides) for found in means])
    tested = [wilcoxon(column) for column in differences.T]
    flipped = _flip(means, contrasts, sides)
    patients = (~np.isnan(differences)).sum(axis=0)
    families = zip(holm(tested), benjamini_hochberg(tested), strict=True)
    rows, most = [], board.metric.most
    for i, (holmed, discovered) in enumerate(families):
        interval = effects[i].within(-most, most)
        word = effect_verdict(interval, holmed, int(patients[i]), margin, board.metric.sign)
        arm, other = (board.arms[side] for side in sides[i])
        rows.append(
            PairRow(
                arm, other, int(patients[i]), interval, tested[i], float(flipped[i]), holmed,
                discovered, holmed < ALPHA, word if patients[i] else "",
            )
        )  # fmt: skip
    return rows


def _effects(
    board: Board,
    found: Estimates,
    contrasts: Array,
    sides: Sequence[tuple[int, int]],
) -> list[Interval]:
    """Of each pair.

    Where nothing is undefined the differences of the arms' estimates are those of the pairs.
    """
    complete = not any(_gaps(sample.values) for sample in board.samples)
    samples = board.samples if complete else tuple(_paired(s, sides) for s in board.samples)
    if not complete:
        found = estimate(samples)
    point, drawn = nanmean(found.points, axis=0), over_tasks(found.drawn, found.times)
    by_task = found.points
    if complete:
        point, drawn, by_task = point @ contrasts, drawn @ contrasts, by_task @ contrasts
    sure = None
    if len(samples) == 1:
        sure = spread(*(_paired(samples[0], sides) if complete else samples[0]))
    return intervals_of(drawn, point, defined(by_task), sure)


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
