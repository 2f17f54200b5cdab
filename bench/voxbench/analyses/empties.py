"""What a score is where the reference lacks the structure: a false alarm, or none."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from voxbench.metrics.empty import BOTH_EMPTY, FAILED, REFERENCE_EMPTY
from voxbench.records.scores import NUMBERS, Scores
from voxbench.stats.arrays import Array
from voxbench.stats.metric import CONVENTIONS_OF, FALSE_ALARMS, METRICS

MEASURED = (*METRICS, *FALSE_ALARMS)
_MM3_IN_ML = 1000.0


def measured(scores: Scores) -> Iterator[Array]:
    """The values of each metric of `MEASURED`, (score,).

    Which pairs of a case and a class have a Dice, NSD and HD95 is decided by the reference alone,
    so that all arms are averaged over the same: where it lacks the class they have none, and there
    may be a false alarm. Of imported scores nobody may know: then they stay as they are, and there
    is no word on false alarms.
    """
    predicted, reference = (
        _column(scores, f"volume_mm3_{of}") for of in ("prediction", "reference")
    )
    flags = np.array(scores.flags, dtype=np.str_)
    absent = (reference == 0) | np.isin(flags, (BOTH_EMPTY, REFERENCE_EMPTY))
    for key in METRICS:
        yield np.where(absent, np.nan, _column(scores, key))
    alarm = (predicted > 0) | np.isin(flags, (REFERENCE_EMPTY, FAILED))
    yield np.where(absent, alarm, np.nan)
    yield np.where(absent & (flags != FAILED), predicted / _MM3_IN_ML, np.nan)


def undefined(scores: Scores, values: Mapping[str, Array]) -> dict[str, NDArray[np.intp]]:
    """How many scores of each metric have no value, of each class, (class,).

    False alarms lack none, they are elsewhere.

    Args:
        scores: of a training.
        values: what is `measured` of them, by metric.
    """
    without = {key: np.isnan(values[key]) for key in METRICS}
    unknown = np.isnan(values["false_alarms"])
    without |= {key: np.zeros_like(unknown) for key in FALSE_ALARMS}
    without |= {key: without[of] & unknown for key, of in CONVENTIONS_OF.items()}
    return {
        key: np.bincount(scores.name[own], minlength=len(scores.names))
        for key, own in without.items()
    }


def _column(scores: Scores, name: str) -> Array:
    column: Array = scores.numbers[:, NUMBERS.index(name)]
    return column
