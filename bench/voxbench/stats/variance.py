"""Where the spread of an effect comes from: patients, draws of the labels, seeds, and the rest."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.stats.arrays import Array
from voxbench.stats.bootstrap import Sample

_Labels = NDArray[np.intp]


class Components(NamedTuple):
    """Variances of single values, in the metric's unit squared; NaN where the data can't tell.

    Attributes:
        patient: of the patients' true effects; of single values if there is one training.
        draw: that a labelled subset gives to all patients; with one seed a draw it holds the
            seed's too.
        seed: that a training gives to all patients, within its draw.
        rest: of one training on one patient.
        clipped: components whose estimate was below 0 and is set to 0.
    """

    patient: float
    draw: float
    seed: float
    rest: float
    clipped: tuple[str, ...] = ()


_UNKNOWN = Components(math.nan, math.nan, math.nan, math.nan)


def variance_components(sample: Sample) -> Components:
    """Split the variance of values, (patient, run), usually differences of an arm and its twin.

    The model is y = mean + patient + draw + seed(draw) + rest, all random: every training meets
    every patient, so these are crossed, and seeds lie within draws. The estimator is Henderson's
    first method (Henderson 1953, doi:10.2307/3001853; Searle, Casella & McCulloch 1992, ch. 5):
    the sums of squares of the class means are equated with their expectations. It is unbiased,
    needs no normal data, takes missing values as they are, and is the analysis of variance where
    none is missing. With few levels an estimate is rough, and may fall below 0: it is then set to
    0 and named. The folds of a cross-validation have no component of theirs: patients and trainings
    are not crossed there.
    """
    known = ~np.isnan(sample.values)
    if not known.any():
        return _UNKNOWN
    patients, runs = np.nonzero(known)
    draws = np.unique(sample.draws, return_inverse=True)[1][runs]
    names, factors = _factors(patients, draws, runs)
    values = sample.values[known]
    squares, expected = _equations(values - values.mean(), factors)
    if np.linalg.matrix_rank(expected) < len(factors):
        return _UNKNOWN
    found = dict(zip(names, np.linalg.solve(expected, squares).tolist(), strict=True))
    noise = 1e-12 * max(1e-12, float(np.abs(squares).max()))
    clipped = tuple(name for name, value in found.items() if value < -noise)
    kept = {name: max(0.0, value) for name, value in found.items()}
    return _UNKNOWN._replace(**kept, clipped=clipped)


def _factors(patients: _Labels, draws: _Labels, runs: _Labels) -> tuple[list[str], list[_Labels]]:
    """The factors that can be told apart; the last is each value's own."""
    found = {"patient": patients}
    trainings, subsets = len(set(runs.tolist())), len(set(draws.tolist()))
    if subsets > 1:
        found["draw"] = draws
    if trainings > subsets:
        found["seed"] = runs
    if trainings > 1:
        found["rest"] = np.arange(len(patients))
    return list(found), list(found.values())


def _equations(values: Array, factors: list[_Labels]) -> tuple[Array, Array]:
    """Sums of squares of class means, less that of the mean, and what each component adds."""
    whole = np.zeros(len(values), dtype=np.intp)
    sums = np.array([_sums(values, factor, factors) for factor in (*factors, whole)])
    away = sums[:-1] - sums[-1]
    return away[:, 0], away[:, 1:]


def _sums(values: Array, groups: _Labels, factors: list[_Labels]) -> list[float]:
    """∑ (sum of a class)² / its size; and with the indicators of each factor in place of values."""
    size = np.bincount(groups)
    filled = np.maximum(size, 1)
    squares = float((np.bincount(groups, values) ** 2 / filled).sum())
    return [squares, *(_overlap(groups, factor, filled) for factor in factors)]


def _overlap(groups: _Labels, factor: _Labels, size: NDArray[np.intp]) -> float:
    """∑ over classes and levels of (values of the level in the class)² / size of the class."""
    levels = int(factor.max()) + 1
    pairs, counts = np.unique(groups * levels + factor, return_counts=True)
    return float((counts**2 / size[pairs // levels]).sum())
