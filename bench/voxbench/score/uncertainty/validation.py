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
    """What validation cases teach; empty without them, or where it is not asked for.

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
    """Thresholds and calibrations, as far as they are asked for.

    The maps of all cases are kept meanwhile where thresholds are.
    """
    thresholds = question.measures if "threshold" in question.aggregations else ()
    calibrated = question.measures if "calibration" in question.applications else ()
    controlled = question.classes if "risk control" in question.applications else ()
    maps: dict[str, list[NDArray[np.float32]]] = {measure: [] for measure in thresholds}
    fits: dict[str, list[Platt]] = {measure: [] for measure in calibrated}
    missed: dict[str, list[NDArray[np.float64]]] = {name: [] for name in controlled}
    shares = []
    for case in cases:
        right, trials = case.judged(question)
        shares.append(float(case.foreground.mean()))
        for measure in thresholds:
            maps[measure].append(case.maps[measure])
        for measure in calibrated:
            fits[measure].append(fit_platt(case.maps[measure], right, trials))
        for name in controlled:
            losses = case.missed(question.classes[name], _THRESHOLDS)
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
