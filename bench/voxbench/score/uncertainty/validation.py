"""What is learnt from cases apart from those that are judged: thresholds and a calibration."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.score.uncertainty.case import Predicted, Question
from voxbench.uncertainty.aggregation import validation_threshold
from voxbench.uncertainty.conformal import controlled_threshold
from voxbench.uncertainty.platt import Platt, fit_platt

PROMISED = 0.1  # of a structure may be missed
_THRESHOLDS = np.linspace(0, 1, 201)


class Validation(NamedTuple):
    """What validation cases teach; empty without them.

    Attributes:
        threshold: measure → as much is above it as is predicted foreground.
        platt: measure → how it becomes a confidence, the mean over cases.
        controlled: class → threshold of its probability that misses what is promised.
    """

    threshold: Mapping[str, float]
    platt: Mapping[str, Platt]
    controlled: Mapping[str, float]


NOTHING = Validation({}, {}, {})


def learn(cases: Iterable[Predicted], question: Question) -> Validation:
    """Thresholds and calibrations; the maps of all cases are kept meanwhile."""
    maps: dict[str, list[NDArray[np.float32]]] = {measure: [] for measure in question.measures}
    fits: dict[str, list[Platt]] = {measure: [] for measure in question.measures}
    missed: dict[str, list[NDArray[np.float64]]] = {name: [] for name in question.classes}
    shares = []
    for case in cases:
        right, trials = case.judged(question)
        shares.append(float(case.foreground.mean()))
        for measure, found in case.maps.items():
            maps[measure].append(found)
            fits[measure].append(fit_platt(found, right, trials))
        for name, index in question.classes.items():
            losses = case.missed(index, _THRESHOLDS)
            missed[name] += [losses] if not np.isnan(losses).any() else []
    return Validation(
        {measure: validation_threshold(found, shares) for measure, found in maps.items()},
        {measure: Platt.mean(found) for measure, found in fits.items()},
        {
            name: controlled_threshold(np.array(losses), _THRESHOLDS, PROMISED)
            for name, losses in missed.items()
            if losses
        },
    )
