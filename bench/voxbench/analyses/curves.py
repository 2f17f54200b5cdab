"""Learning curves: an arm and its twin against labelled patients, and the power laws through them.

All fractions of a task share their patients and their resamples.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxbench.analyses.groups import Where
from voxbench.analyses.pairing import Pair
from voxbench.analyses.shared import fold_of_each
from voxbench.analyses.table import Column, Table, as_row, interval_column, number, plain_columns
from voxbench.design.cell import DIRECT
from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import Sample, estimate
from voxbench.stats.counts import RESAMPLES
from voxbench.stats.interval import TAILS, UNDEFINED, Interval
from voxbench.stats.metric import Metric
from voxbench.stats.power_law import EXPONENTS, FEWEST_POINTS, PowerLaw, fit_power_law


@dataclass(frozen=True)
class LearningCurves:
    """Scores of an arm and its twin against labelled patients; more is better.

    Distances are negated.

    Attributes:
        where: of all steps, without a fraction.
        labels: labelled patients of each step, rising, (step,).
        fractions: their names.
        arm_scores, twin_scores: (step,).
        arm_drawn, twin_drawn: in each resample, (resample, step).
        patients: with a score at each step; runs: behind it.
    """

    where: Where
    arm: str
    twin: str
    metric: Metric
    labels: Array
    fractions: tuple[str, ...]
    arm_scores: Array
    twin_scores: Array
    arm_drawn: Array
    twin_drawn: Array
    patients: tuple[int, ...]
    runs: tuple[int, ...]

    @property
    def single_run(self) -> str:
        """What intervals leave out where a step rests on one training; "" where none does."""
        if min(self.runs, default=2) > 1:
            return ""
        return "1 run: the interval leaves out the spread between seeds"

    @property
    def best(self) -> float:
        """No score is higher."""
        return 1.0 if self.metric.sign > 0 else 0.0


@dataclass(frozen=True)
class FittedCurve:
    """The power law of one arm or twin: score = ceiling − gap · n^−exponent, with 95% bounds.

    For a distance the score is its negative. `refused` says why there is none or what
    it does not tell, `note` what its intervals leave out.
    """

    where: Where
    arm: str
    points: int
    ceiling: Interval
    exponent: Interval
    gap: float
    error: float
    refused: str
    note: str


def learning_curves(pairs: Sequence[Pair]) -> list[LearningCurves]:
    """One pair of curves for each arm, task, adaptation and setting; direct inference has none.

    The test patients are the same at every fraction, so a resample draws the same ones there.
    """
    members: dict[tuple[Where, str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        where = pair.arm.where
        if where.adaptation not in DIRECT:
            members[where._replace(fraction=""), pair.arm.arm, pair.name].append(pair)
    return [_curves(where, arm, twin, own) for (where, arm, twin), own in members.items()]


def _curves(where: Where, arm: str, twin: str, pairs: Sequence[Pair]) -> LearningCurves:
    metric = pairs[0].metric
    patients = sorted({p for pair in pairs for p in pair.arm.patients})
    steps = []
    for pair in sorted(pairs, key=lambda pair: pair.arm.train_patients):
        sample = on_patients(pair, patients)
        if not np.isnan(sample.values).all():
            steps.append((pair.arm, sample, estimate([sample])))
    points = np.array([found.points[0] for _, _, found in steps]).reshape(-1, 2)
    drawn = np.array([found.drawn[0] for _, _, found in steps]).reshape(-1, RESAMPLES, 2)
    points, drawn = metric.sign * points, metric.sign * drawn
    return LearningCurves(
        where, arm, twin, metric,
        np.array([group.train_patients for group, _, _ in steps]),
        tuple(group.where.fraction for group, _, _ in steps),
        points[:, 0], points[:, 1], drawn[:, :, 0].T, drawn[:, :, 1].T,
        tuple(int((~np.isnan(sample.values[0])).any(axis=1).sum()) for _, sample, _ in steps),
        tuple(len(sample.draws) for _, sample, _ in steps),
    )  # fmt: skip


def on_patients(pair: Pair, patients: Sequence[str]) -> Sample:
    """Arm and twin, (2, patient, run), on a list of patients; what one lacks, both do."""
    ours, theirs = pair.samples()
    rows = [patients.index(patient) for patient in pair.patients]
    values = np.full((2, len(patients), len(ours.draws)), np.nan)
    if rows:
        values[0, rows], values[1, rows] = ours.values, theirs.values
        values[:, np.isnan(values).any(axis=0)] = np.nan
    folds = {**pair.arm.folds, **(pair.other.folds if pair.other else {})}
    return Sample(values, ours.draws, fold_of_each(patients, folds))


def fitted_curves(curves: Sequence[LearningCurves]) -> list[FittedCurve]:
    """The power law of every arm and twin, each once."""
    found: dict[tuple[Where, str], FittedCurve] = {}
    for own in curves:
        for name, scores, drawn in (
            (own.arm, own.arm_scores, own.arm_drawn),
            (own.twin, own.twin_scores, own.twin_drawn),
        ):
            if (own.where, name) not in found:
                found[own.where, name] = _fitted(own, name, scores, drawn)
    return list(found.values())


def _fitted(own: LearningCurves, name: str, scores: Array, drawn: Array) -> FittedCurve:
    points = len(own.labels)
    if len(set(own.labels)) < FEWEST_POINTS:
        why = f"{points} fractions, {FEWEST_POINTS} are needed"
        return FittedCurve(
            own.where, name, points, UNDEFINED, UNDEFINED, math.nan, math.nan, why, ""
        )
    once, each = (fit_power_law(own.labels, values, own.best) for values in (scores[None], drawn))
    ceiling, exponent = (np.quantile(v, TAILS) for v in (each.ceiling, each.exponent))
    return FittedCurve(
        own.where, name, points,
        Interval.of(once.ceiling[0], *ceiling), Interval.of(once.exponent[0], *exponent),
        float(once.gap[0]), float(once.error[0]),
        _doubt(once, exponent), own.single_run,
    )  # fmt: skip


def _doubt(once: PowerLaw, exponent: Array) -> str:
    if once.gap[0] <= 0:
        return "flat: the best fit does not rise"
    if exponent[0] <= EXPONENTS[0] and exponent[1] >= EXPONENTS[-1]:
        return "the exponent is not identified"
    return ""


def curve_table(curves: Sequence[LearningCurves], metric: Metric) -> Table:
    """The power law of every arm and twin."""
    negated = "" if metric.sign > 0 else " For distances the score is the negative distance."
    return Table(
        f"power-law-{metric.key}",
        "Power laws",
        f"{metric.title} = ceiling − gap · n^−exponent over labelled patients n, with gap ≥ 0 and "
        f"no ceiling above the best possible; 95% bootstrap intervals.{negated}",
        [
            *plain_columns("task", "adaptation", "arm"),
            Column("points", number=True),
            interval_column("ceiling [95%]", "ceiling", metric.digits),
            interval_column("exponent [95%]", "exponent", 2),
            Column("error", show=number(metric.digits), number=True),
            Column("note", ("refused", "note"), lambda *told: "; ".join(filter(None, told))),
        ],
        [as_row(row, "fraction", "setting") for row in fitted_curves(curves)],
    )
