"""Figures that are no means as if they were: a pseudo-value a patient, by the jackknife."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray


def pseudo_values(
    figure: Callable[[NDArray[np.intp]], Sequence[float]], patients: Sequence[str]
) -> NDArray[np.float64]:
    """N θ − (n − 1) θ without the patient, (patient, figure), patients sorted.

    Their mean is the jackknife's estimate of a figure (Tukey 1958), and their spread over n that of
    the figure where it is smooth, as areas are; of a mean they are the values themselves.

    Args:
        figure: from places of cases to figures θ; NaN is undefined there.
        patients: of each case, (case,); of one patient there are no pseudo-values.
    """
    names, owner = np.unique(np.asarray(patients), return_inverse=True)
    whole = np.array(figure(np.arange(len(owner))), np.float64)
    if len(names) < 2:
        return np.full((len(names), len(whole)), np.nan)
    without = np.array([figure(np.flatnonzero(owner != own)) for own in range(len(names))])
    return np.asarray(whole + (len(names) - 1) * (without.mean(axis=0) - without), np.float64)
