"""Onto the grid that a network works on, and back onto the native one.

Voxels are boxes: both grids cover the same box, so the centre of voxel `i` of `n` lies at
`(i + 0.5) / n` of its extent, and the target spacing is met up to the rounding of the shape.
Images are interpolated linearly; a resampled label is the class with the largest linear weight.
"""

from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.orientations import (
    apply_orientation,
    axcodes2ornt,
    io_orientation,
    ornt_transform,
)
from numpy.typing import NDArray

from voxbench.data.resample import (
    VolumeShape,
    resample_image,
    resample_labels,
    resample_nearest,
)
from voxbench.design.preprocessing import Preprocessing

V = TypeVar("V", bound=np.generic)


@dataclass(frozen=True)
class VoxelGrid:
    """A prepared array's place in its file: all that is needed to go back.

    Attributes:
        native: shape of the file's array.
        affine: of the file, voxel indices to RAS+ millimetres.
        axes: orientation code of the prepared array.
        low: first voxel of the crop, along `axes`, before resampling.
        high: one past its last voxel.
        shape: of the prepared array.
        spacing_mm: of the prepared array.
    """

    native: VolumeShape
    affine: tuple[tuple[float, ...], ...]
    axes: str
    low: VolumeShape
    high: VolumeShape
    shape: VolumeShape
    spacing_mm: tuple[float, float, float]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "VoxelGrid":
        """Read what `to_json` wrote."""
        affine = tuple(tuple(row) for row in value["affine"])
        rest: dict[str, Any] = {k: tuple(v) for k, v in value.items() if isinstance(v, list)}
        return cls(**{**rest, "axes": value["axes"], "affine": affine})

    def to_json(self) -> dict[str, Any]:
        """As plain lists and numbers."""
        return asdict(self)

    @property
    def cropped(self) -> VolumeShape:
        """Shape of the crop before resampling."""
        a, b, c = (high - low for low, high in zip(self.low, self.high, strict=True))
        return a, b, c


def choose_grid(
    image: NDArray[np.float32], affine: NDArray[np.float64], preprocessing: Preprocessing
) -> VoxelGrid:
    """Choose crop and shape for an image (channel, d, h, w) in the file's own axes."""
    native = image.shape[1:]
    oriented = np.moveaxis(_orient(np.moveaxis(image, 0, 3), affine, preprocessing.axes), 3, 0)
    size = oriented.shape[1:]
    low, high = _occupied(oriented) if preprocessing.crop == "nonzero" else ((0, 0, 0), size)
    transform = ornt_transform(io_orientation(affine), axcodes2ornt(preprocessing.axes))
    spacing = voxel_sizes(affine)[np.argsort(transform[:, 0])]
    extent = (np.array(high) - low) * spacing
    target = preprocessing.spacing_mm or spacing
    shape = np.maximum(1, np.rint(extent / target).astype(int))
    return VoxelGrid(
        native=_three(native),
        affine=tuple(tuple(float(value) for value in row) for row in affine),
        axes=preprocessing.axes,
        low=_three(low),
        high=_three(high),
        shape=_three(shape),
        spacing_mm=tuple(float(value) for value in extent / shape),  # type: ignore[arg-type]
    )


def crop_to_grid(array: NDArray[Any], grid: VoxelGrid) -> NDArray[Any]:
    """Orient and crop a native array (d, h, w), without resampling; a view where possible."""
    oriented = _orient(array, np.array(grid.affine), grid.axes)
    return oriented[tuple(slice(a, b) for a, b in zip(grid.low, grid.high, strict=True))]


def image_to_grid(image: NDArray[np.float32], grid: VoxelGrid) -> NDArray[np.float32]:
    """Resample what `crop_to_grid` returned onto the grid, linearly."""
    return resample_image(image, grid.shape)


def label_to_grid(label: NDArray[np.uint8], grid: VoxelGrid) -> NDArray[np.uint8]:
    """Resample a label map that `crop_to_grid` returned onto the grid, by linear vote."""
    return resample_labels(label, grid.shape)


def labels_to_native(label: NDArray[np.uint8], grid: VoxelGrid) -> NDArray[np.uint8]:
    """Turn a label map on the prepared grid into one on the native grid, by the nearest voxel."""
    return uncropped(resample_nearest(label, grid.cropped), grid)


def uncropped(cropped: NDArray[V], grid: VoxelGrid) -> NDArray[V]:
    """An array (d, h, w) of the crop, in the axes and the shape of the file, with 0 around it."""
    transform = ornt_transform(axcodes2ornt(grid.axes), io_orientation(np.array(grid.affine)))
    shape = [0, 0, 0]
    for axis, (target, _) in enumerate(transform):
        shape[axis] = grid.native[int(target)]
    whole = np.zeros(shape, cropped.dtype)
    whole[tuple(slice(a, b) for a, b in zip(grid.low, grid.high, strict=True))] = cropped
    return np.ascontiguousarray(apply_orientation(whole, transform))


def _orient(array: NDArray[Any], affine: NDArray[np.float64], axes: str) -> NDArray[Any]:
    transform = ornt_transform(io_orientation(affine), axcodes2ornt(axes))
    oriented: NDArray[Any] = apply_orientation(array, transform)
    return oriented


def _occupied(image: NDArray[np.float32]) -> tuple[VolumeShape, VolumeShape]:
    """The smallest box around the voxels that differ from a channel's minimum."""
    mask = np.zeros(image.shape[1:], bool)
    for channel in image:
        mask |= channel != channel.min()
    if not mask.any():
        return (0, 0, 0), _three(mask.shape)
    spans = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        hits = np.flatnonzero(mask.any(axis=others))
        spans.append((int(hits[0]), int(hits[-1]) + 1))
    return _three([a for a, _ in spans]), _three([b for _, b in spans])


def _three(values: Any) -> VolumeShape:
    a, b, c = (int(value) for value in values)
    return a, b, c
