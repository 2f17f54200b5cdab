"""What is learnt from cases apart from those that are judged: a threshold and a calibration."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.score.uncertainty.case import Predicted, Question
from voxbench.uncertainty.aggregation import validation_threshold
from voxbench.uncertainty.platt import Platt, fit_platt


class Validation(NamedTuple):
    """Of one measure.

    Attributes:
        threshold: as much is above it as is predicted foreground.
        platt: from the measure to a confidence, the mean over cases.
    """

    threshold: float
    platt: Platt


def learn(cases: Iterable[Predicted], question: Question) -> dict[str, Validation]:
    """The threshold and the calibration of each measure; maps of all cases are kept meanwhile."""
    maps: dict[str, list[NDArray[np.float32]]] = {measure: [] for measure in question.measures}
    fits: dict[str, list[Platt]] = {measure: [] for measure in question.measures}
    shares = []
    for case in cases:
        right, trials = case.judged(question)
        shares.append(float(case.foreground.mean()))
        for measure, found in case.maps.items():
            maps[measure].append(found)
            fits[measure].append(fit_platt(found, right, trials))
    return {
        measure: Validation(
            validation_threshold(maps[measure], shares),
            Platt.mean(fits[measure]),
        )
        for measure in question.measures
    }
