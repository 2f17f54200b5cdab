"""How a score grows with labelled patients: a power law within bounds."""

from typing import NamedTuple

import numpy as np

from voxbench.stats.arrays import Array

EXPONENTS = np.geomspace(0.02, 3.0, 120)
FEWEST_POINTS = 3  # points that determine three parameters


class PowerLaw(NamedTuple):
    """score = ceiling − gap · n^−exponent, with gap ≥ 0 and ceiling ≤ the best possible score.

    Each is an array over the fitted curves.
    """

    ceiling: Array
    gap: Array
    exponent: Array
    error: Array  # root mean square, in the score's unit

    def labels(self, score: Array) -> Array:
        """The labelled patients that reach a score, (curve,); infinite if it never does."""
        missing = self.ceiling - score
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            needed = (self.gap / missing) ** (1 / self.exponent)
        return np.where(missing > 0, needed, np.inf)


def fit_power_law(n: Array, scores: Array, best: float = 1.0) -> PowerLaw:
    """Least squares within the bounds, for many curves at once.

    For a given exponent the rest is linear and solved exactly; the exponent is searched on a grid
    from 0.02 to 3. The form is that of Hestness et al. 2017 (arXiv:1712.00409) with the error's
    floor as a ceiling.

    Args:
        n: labelled patients of each point, (point,).
        scores: (curve, point), more is better.
        best: no ceiling is higher: 1 for Dice, 0 for negative distances.

    Raises:
        ValueError: fewer than 3 points.
    """
    if len(n) < FEWEST_POINTS:
        raise ValueError(f"a power law needs {FEWEST_POINTS} points, got {len(n)}")
    found = [_linear(n**-exponent, scores, best) for exponent in EXPONENTS]
    errors = np.array([error for _, _, error in found])
    pick = np.argmin(errors, axis=0)
    each = np.arange(len(scores))
    ceilings, gaps = (np.array([item[i] for item in found])[pick, each] for i in (0, 1))
    return PowerLaw(ceilings, gaps, EXPONENTS[pick], np.sqrt(errors[pick, each]))


def _linear(x: Array, scores: Array, best: float) -> tuple[Array, Array, Array]:
    """Ceiling, gap and mean squared error of score = ceiling − gap · x within the bounds."""
    away = x - x.mean()
    gap = np.maximum(0.0, -(scores @ away) / (away @ away))
    ceiling = scores.mean(axis=1) + gap * x.mean()
    bounded = ceiling > best
    held = np.maximum(0.0, (best - scores) @ x / (x @ x))
    gap, ceiling = np.where(bounded, held, gap), np.where(bounded, best, ceiling)
    rest = scores - (ceiling[:, None] - gap[:, None] * x)
    return ceiling, gap, (rest**2).mean(axis=1)
