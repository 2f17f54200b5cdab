"""Whether an effect differs between two groups of patients."""

import numpy as np

from voxbench.stats.arrays import nanmean
from voxbench.stats.blocks import Blocks, blocks, variance_of
from voxbench.stats.bootstrap import Sample
from voxbench.stats.inference import Inference
from voxbench.stats.student import Spread, spread


def contrast(one: Sample, other: Sample) -> Inference:
    """The effect in one group minus that in another that shares its runs, (1,).

    Student's on patients and runs: luck that a run gives to both groups cancels, and the degrees of
    freedom of the patients are Welch's. In a cross-validation it is that of the folds, which are
    blocks of both groups.

    Args:
        one: effects, (patient, run), each patient with a value.
        other: the same of other patients.
    """
    means = [nanmean(sample.values, axis=1) for sample in (one, other)]
    difference = np.array([means[0].mean() - means[1].mean()])
    if one.folded or other.folded:
        return Inference(difference, np.ones(1), np.ones(1), _over_folds(one, other))
    sides = [spread(sample.values[None], sample.draws) for sample in (one, other)]
    runs = nanmean(one.values, axis=0) - nanmean(other.values, axis=0)
    shared = spread(runs[None, None], one.draws)
    patients = sides[0].patients + sides[1].patients
    parts = [side.patients**2 / side.patients_freedom for side in sides]
    freedom = np.divide(
        patients**2, sum(parts), out=sides[0].patients_freedom.copy(), where=patients > 0
    )
    noise = sides[0].noise + sides[1].noise
    known = Spread(patients, freedom, shared.runs, shared.runs_freedom, noise)
    return Inference(difference, np.ones(1), np.ones(1), known)


def _over_folds(one: Sample, other: Sample) -> Spread:
    """Of the difference of two groups, each with patients in some of the folds."""
    labels = sorted({*one.folds, *other.folds})
    sums, within, people = np.zeros(len(labels)), 0.0, 0.0
    for sign, sample in ((1, one), (-1, other)):
        found: Blocks = blocks(nanmean(sample.values, axis=1)[None], sample.folds)
        for place, label in enumerate(sorted({*sample.folds})):
            sums[labels.index(label)] += sign * found.sums[0, place]
        count = float(found.patients.sum())
        freedom = max(1.0, count - len({*sample.folds}))
        within += float(found.within.sum()) / freedom / count
        people += freedom
    patients, total = np.array([within]), variance_of(sums[None])
    runs_freedom = np.array([max(1.0, len(labels) - 1.0)])
    return Spread(patients, np.array([people]), total, runs_freedom, patients)
