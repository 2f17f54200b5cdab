"""The definitions again, slowly and in full: every site, every pair of sites, a sort."""

import numpy as np
from numpy.typing import NDArray
from voxbench.metrics.areas import contour_lengths, surface_areas

Sites = tuple[NDArray[np.float64], NDArray[np.float64]]


def surface_sites(mask: NDArray[np.bool_], spacing_mm: tuple[float, ...]) -> Sites:
    """Corner positions in mm (n, axes) and areas in mm² (n,), lengths in mm in 2D."""
    padded = np.pad(mask, 1)
    areas = surface_areas(spacing_mm) if mask.ndim == 3 else contour_lengths(spacing_mm)
    code = np.zeros([n + 1 for n in mask.shape], int)
    for bit, offset in enumerate(np.ndindex(*(2,) * mask.ndim)):
        window = tuple(slice(o, o + n + 1) for o, n in zip(offset, mask.shape, strict=True))
        code += padded[window].astype(int) << (2**mask.ndim - 1 - bit)
    where = np.argwhere((code != 0) & (code != 2**2**mask.ndim - 1))
    return where * np.array(spacing_mm), areas[code[tuple(where.T)]]


def voxel_sites(mask: NDArray[np.bool_], spacing_mm: tuple[float, ...]) -> Sites:
    """Positions in mm (n, axes) of the voxels with a face neighbour outside, and ones."""
    padded = np.pad(mask, 1)
    inner = padded.copy()
    for axis in range(mask.ndim):
        inner &= np.roll(padded, 1, axis) & np.roll(padded, -1, axis)
    where = np.argwhere(padded & ~inner)
    return where * np.array(spacing_mm), np.ones(len(where))


def distances(source: Sites, target: Sites) -> NDArray[np.float64]:
    """Distance in mm (n,) from each site to the nearest of the target."""
    return np.sqrt(((source[0][:, None] - target[0][None]) ** 2).sum(-1)).min(1)


def percentile(mm: NDArray[np.float64], weight: NDArray[np.float64], percent: float) -> float:
    """The smallest distance that `percent` of the weight does not exceed."""
    order = np.argsort(mm)
    share = np.cumsum(weight[order]) / weight.sum()
    reached = np.flatnonzero(share >= percent / 100 - 1e-12)
    return float(mm[order[reached[0]]])


def score(
    prediction: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    spacing_mm: tuple[float, ...],
    tolerance_mm: float,
    definition: str,
    percent: float = 95.0,
) -> dict[str, float]:
    """All scores of two masks that both have voxels."""
    find = surface_sites if definition == "surface" else voxel_sites
    p, r = find(prediction, spacing_mm), find(reference, spacing_mm)
    there, back = distances(p, r), distances(r, p)
    limit = tolerance_mm * (1 + 1e-6)
    total = p[1].sum() + r[1].sum()
    hd = [
        percentile(mm, sites[1], percent) if definition == "surface" else np.percentile(mm, percent)
        for mm, sites in ((there, p), (back, r))
    ]
    return {
        "dice": 2 * (prediction & reference).sum() / (prediction.sum() + reference.sum()),
        "nsd": (p[1][there <= limit].sum() + r[1][back <= limit].sum()) / total,
        "hd_mm": float(max(hd)),
        "assd_mm": ((there * p[1]).sum() + (back * r[1]).sum()) / total,
        "boundary_prediction": p[1].sum(),
        "boundary_reference": r[1].sum(),
    }
