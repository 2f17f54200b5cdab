"""An arm and its twin at all fractions of a task, on the same patients and the same resamples."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from voxbench.analyses.effects import Pair
from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import RESAMPLES, Sample, estimate
from voxbench.stats.metric import Metric


@dataclass(frozen=True)
class Ladder:
    """Scores of an arm and its twin against labelled patients; more is better.

    Distances are negated.

    Attributes:
        labels: labelled patients of each step, rising, (step,).
        fractions: their names.
        arm_scores, twin_scores: (step,).
        arm_drawn, twin_drawn: in each resample, (resample, step).
        runs: trainings behind each step; patients: with a score there.
        left_out: fractions that were not comparable.
    """

    task: str
    adaptation: str
    setting: str
    arm: str
    twin: str
    metric: Metric
    labels: Array
    fractions: tuple[str, ...]
    arm_scores: Array
    twin_scores: Array
    arm_drawn: Array
    twin_drawn: Array
    runs: tuple[int, ...]
    patients: tuple[int, ...]
    left_out: tuple[str, ...]


def ladders(pairs: Sequence[Pair], resamples: int = RESAMPLES, seed: int = 0) -> list[Ladder]:
    """One ladder for each arm, task, adaptation and setting; direct inference has none.

    The test patients are the same at every fraction, so a resample draws the same ones there.
    """
    places: dict[_Place, list[Pair]] = defaultdict(list)
    for pair in pairs:
        where = pair.arm.where
        if where.adaptation != "direct":
            key = _Place(where.task, where.adaptation, where.setting, pair.arm.arm, pair.name)
            places[key].append(pair)
    return [_ladder(place, members, resamples, seed) for place, members in places.items()]


class _Place(NamedTuple):
    task: str
    adaptation: str
    setting: str
    arm: str
    twin: str


def _ladder(place: _Place, pairs: Sequence[Pair], resamples: int, seed: int) -> Ladder:
    metric = pairs[0].metric
    patients = sorted({p for pair in pairs for p in pair.arm.patients})
    steps, left_out = [], []
    for pair in sorted(pairs, key=lambda pair: pair.arm.train_patients):
        sample = on_patients(pair, patients)
        if np.isnan(sample.values).all():
            left_out.append(pair.arm.where.fraction)
        else:
            steps.append((pair.arm, sample, estimate([sample], resamples, seed)))
    points = np.array([found.points[0] for _, _, found in steps]).reshape(-1, 2)
    drawn = np.array([found.drawn[0] for _, _, found in steps]).reshape(-1, resamples, 2)
    points, drawn = metric.sign * points, metric.sign * drawn
    return Ladder(
        *place, metric,
        np.array([arm.train_patients for arm, _, _ in steps]),
        tuple(arm.where.fraction for arm, _, _ in steps),
        points[:, 0], points[:, 1], drawn[:, :, 0].T, drawn[:, :, 1].T,
        tuple(len(sample.draws) for _, sample, _ in steps),
        tuple(int((~np.isnan(sample.values[0])).any(axis=1).sum()) for _, sample, _ in steps),
        tuple(left_out),
    )  # fmt: skip


def on_patients(pair: Pair, patients: Sequence[str]) -> Sample:
    """Arm and twin, (2, patient, run), on a list of patients; what one lacks, both do."""
    ours, theirs = pair.samples()
    there = set(pair.other.patients) if pair.other else set()
    rows = [patients.index(patient) for patient in pair.arm.patients if patient in there]
    values = np.full((2, len(patients), len(ours.draws)), np.nan)
    if rows:
        values[0, rows], values[1, rows] = ours.values, theirs.values
        values[:, np.isnan(values).any(axis=0)] = np.nan
    return Sample(values, ours.draws)
