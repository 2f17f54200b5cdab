"""Is a confidence of 80% right in 80% of the voxels? Bins of confidence against accuracy."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BINS = 20
_AT_ONCE = 1 << 20  # voxels
Array = NDArray[np.float64]


class Reliability(NamedTuple):
    """Voxels by their confidence, in bins of equal width; parts of an image add up.

    Attributes:
        trials: judgements in each bin, (bin,): voxels, times those who judged.
        right: how many of them were right.
        confident: sum of their confidences.
    """

    trials: Array
    right: Array
    confident: Array

    def joined(self, other: "Reliability") -> "Reliability":
        """Both together."""
        return Reliability(*(one + two for one, two in zip(self, other, strict=True)))

    @property
    def accuracy(self) -> Array:
        """Of each bin, (bin,); NaN of an empty one. The diagram's height."""
        return self._share(self.right)

    @property
    def confidence(self) -> Array:
        """Mean of each bin, (bin,); NaN of an empty one. The diagram's place."""
        return self._share(self.confident)

    @property
    def ace(self) -> float:
        """Average calibration error: mean over non-empty bins of |accuracy − confidence|.

        After Neumann et al. (BMVC 2018), in the bins of ValUES. NaN where there is nothing.
        """
        gaps = self._gaps()
        return float(gaps.mean()) if gaps.size else float("nan")

    @property
    def ece(self) -> float:
        """Expected calibration error: the same, weighted by how full bins are.

        After Naeini et al. (AAAI 2015).
        """
        weights = self.trials[self.trials > 0]
        return float(np.average(self._gaps(), weights=weights)) if weights.size else float("nan")

    def _gaps(self) -> Array:
        full = self.trials > 0
        return np.asarray(np.abs(self.right - self.confident)[full] / self.trials[full])

    def _share(self, values: Array) -> Array:
        empty = np.full(len(values), np.nan)
        np.divide(values, self.trials, out=empty, where=self.trials > 0)
        return empty


def reliability(
    right: NDArray[Any], confidence: NDArray[Any], trials: NDArray[Any] | int = 1, bins: int = BINS
) -> Reliability:
    """Sort voxels into bins of confidence; a confidence on an edge belongs below it.

    Args:
        right: whether each voxel is, or for how many of those who judged it, (*spatial).
        confidence: in [0, 1], (*spatial).
        trials: who judged each voxel, (*spatial); 1 where there is one reference. A voxel that
            nobody judged counts nothing.
        bins: of equal width.
    """
    edges = np.linspace(0, 1, bins + 1)[1:-1]
    flat = np.ravel(right), np.ravel(confidence), np.broadcast_to(trials, right.shape).ravel()
    sums = np.zeros((3, bins))
    for start in range(0, flat[0].size, _AT_ONCE):
        good, sure, judged = (side[start : start + _AT_ONCE].astype(np.float64) for side in flat)
        where = np.searchsorted(edges, sure)
        for row, weights in zip(sums, (judged, good, sure * judged), strict=True):
            row += np.bincount(where, weights, bins)
    return Reliability(*sums)
