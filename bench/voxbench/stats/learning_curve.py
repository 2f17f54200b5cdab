"""Reading learning curves: where they reach a score, and where they fall below a bar for good."""

import numpy as np

from voxbench.stats.arrays import Array


def labels_to_reach(scores: Array, labels: Array, curves: Array) -> Array:
    """Labels at which each curve reaches its score, linear in log labels, (curve,).

    The points are made monotone by a running maximum; 0 below the first point, infinite above the
    last.

    Args:
        scores: to be reached, (curve,).
        labels: of the points, rising, (step,).
        curves: (curve, step), more is better.
    """
    rising = np.maximum.accumulate(curves, axis=1)
    above = (rising >= scores[:, None]).argmax(axis=1)
    reached = (rising >= scores[:, None]).any(axis=1)
    each = np.arange(len(rising))
    before = np.maximum(above - 1, 0)
    low, high = rising[each, before], rising[each, above]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(high > low, (scores - low) / (high - low), 0.0)
    logs = np.log(labels)
    found = np.exp(logs[before] + share * (logs[above] - logs[before]))
    found = np.where(scores < rising[:, 0], 0.0, found)
    return np.where(reached, found, np.inf)


def last_crossing(labels: Array, excess: Array) -> Array:
    """Labels at the last crossing from above 0, (curve,): 0 if never above, inf if still so.

    Between points linear in log labels.

    Args:
        labels: of the points, rising, (step,).
        excess: (curve, step).
    """
    above = excess > 0
    last = above.shape[1] - 1 - above[:, ::-1].argmax(axis=1)
    after = np.minimum(last + 1, above.shape[1] - 1)
    each = np.arange(len(excess))
    high, low = excess[each, last], excess[each, after]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(high > low, high / (high - low), 0.0)
    logs = np.log(labels)
    found = np.exp(logs[last] + share * (logs[after] - logs[last]))
    found = np.where(above.any(axis=1), found, 0.0)
    return np.where(above[:, -1], np.inf, found)
