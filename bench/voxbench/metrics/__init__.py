"""Exact segmentation metrics on integer label maps: pure functions that need numpy and numba only.

`evaluate` scores every class of a case; `evaluate_masks` takes one mask a class; `worst` is what a
failed prediction gets; `official` holds the ways that the makers of data sets score, by name.

Two definitions of a boundary are in use, and NSD, HD95 and the mean distance differ between them:

- `surface`, the default: the marching-cubes surface between voxels, sampled at their corners and
  weighted by its area in mm². So do google-deepmind/surface-distance and, with it,
  TotalSegmentator, FLARE and the Decathlon.
- `voxel`: the voxels of a mask that have a face neighbour outside it, counted. So do MONAI (unless
  `use_subvoxels`) and SuPreM.

By hand: the prediction is one voxel, the reference its neighbour, 1 mm voxels, tolerance 0.5 mm.
Each surface has eight corners; four are shared, at distance 0, four lie 1 mm away. NSD is 0.5 by
`surface`. By `voxel` there is one border voxel on either side, 1 mm away from the other: NSD is 0.
On one abdominal case the mean NSD of all organs was 0.810 by the first and 0.770 by the second, so
that numbers of different definitions must never stand in one column.

A distance that equals its tolerance is within it, up to a relative `EPSILON` for rounding; three
voxels of 0.8 mm are within 2.4 mm, although 3 × 0.8 > 2.4 in double precision (surface-distance
leaves it out, MONAI, in single precision, takes it in). `exact=True` leaves it out too.
"""

from voxbench.metrics.case import EPSILON, ClassMetrics, Definition
from voxbench.metrics.evaluate import evaluate, evaluate_masks, worst

METRICS_VERSION = "1"
"""Version of the definitions, stamped into every record: raised when any number may change."""

__all__ = [
    "EPSILON",
    "METRICS_VERSION",
    "ClassMetrics",
    "Definition",
    "evaluate",
    "evaluate_masks",
    "worst",
]
