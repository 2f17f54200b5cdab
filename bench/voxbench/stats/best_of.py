"""What the best of k trials scores, from the scores of n trials.

The mean over all subsets of k of the n trials, drawn without replacement, is unbiased (Tang et al.
2020, «Showing your work doesn't always work», ACL, doi:10.18653/v1/2020.acl-main.246). Drawing with
replacement, as Dodge et al. 2019 do («Show your work», EMNLP, doi:10.18653/v1/D19-1224), is too
low. Both take trials for independent draws of one distribution, as random search makes them.

Resampled trials tell too little of their maximum: with 12 of them, percentile intervals of that
mean hold the truth in 88% (k = 1) to 56% (k = n), and the jackknife's in 94% to 73% at k = n / 2.
So the interval is that of the median of the best of k, which order statistics give exactly for any
distribution (Lourie, Cho & He 2024, «Show your work with confidence», NAACL).
"""

import numpy as np
from scipy import special, stats

from voxbench.stats.arrays import Array

_TAIL = 0.025


def expected_best(scores: Array) -> Array:
    """The expected best of k trials, (k,) for k = 1 … n, of scores (n,)."""
    count = len(scores)
    rank, k = np.arange(1.0, count + 1)[:, None], np.arange(1.0, count + 1)[None, :]
    log = _log_choose(rank - 1, k - 1) - _log_choose(np.full_like(rank, count), k)
    weights = np.where(rank >= k, np.exp(log), 0.0)  # that the best of k has this rank
    best: Array = np.sort(scores) @ weights
    return best


def _log_choose(n: Array, k: Array) -> Array:
    """The logarithm of n over k; of no meaning where k is larger."""
    left = np.maximum(n - k, 0)
    found: Array = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(left + 1)
    return found


def best_intervals(scores: Array) -> Array:
    """The 95% interval of the median of the best of k trials, (2, k) for k = 1 … n.

    That median is the quantile 0.5^(1/k) of single trials; its interval lies between two of the
    scores, and has no end, NaN, where n trials do not tell it.
    """
    count = len(scores)
    share = 0.5 ** (1 / np.arange(1, count + 1))
    low = stats.binom.ppf(_TAIL, count, share).astype(int)
    high = stats.binom.ppf(1 - _TAIL, count, share).astype(int) + 1
    known = np.concatenate([[np.nan], np.sort(scores), [np.nan]])
    intervals: Array = known[np.stack([low, np.minimum(high, count + 1)])]
    return intervals


def told_apart(one: Array, other: Array) -> bool:
    """Whether Student's 95% interval of the paired differences of two trials leaves out 0.

    Args:
        one: scores of a trial, (patient,), NaN where undefined.
        other: of another, of the same patients.
    """
    difference = (one - other)[~np.isnan(one - other)]
    if len(difference) < 2:
        return False
    error = float(difference.std(ddof=1)) / len(difference) ** 0.5
    reach = -float(special.stdtrit(len(difference) - 1, _TAIL)) * error
    return bool(abs(difference.mean()) > reach)
