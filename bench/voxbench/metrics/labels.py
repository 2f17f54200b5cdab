"""Label maps as the kernels take them: unsigned bytes in rows, whatever came in.

Classes whose labels do not overlap share a layer, of at most 255 classes; overlapping regions (a
tumour and its core) and separate masks take as many layers as they need.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import read_only
from voxbench.errors import DataError, SpecError

LabelValues = int | Iterable[int]
DIRECT = 256  # labels below this fit a byte as they are
LARGEST_LABEL = 65535  # the largest label: tables are as long
VOXELS_AT_ONCE = 1 << 22  # voxels relabelled at once: bounds the memory that this takes


class Layer(NamedTuple):
    """Classes that can share one label map, each with its labels."""

    names: list[str]
    labels: list[frozenset[int]]

    def is_direct(self, dtype: np.dtype[Any]) -> bool:
        """Whether maps of `dtype` can be read as they are: bytes, one label a class, 0 outside."""
        byte = dtype.itemsize == 1 and dtype.kind in "bu"
        return byte and all(len(g) == 1 and 0 < min(g) < DIRECT for g in self.labels)

    def numbers(self) -> NDArray[np.uint8]:
        """(256,) the class, counted from 1, of each byte in a map that is read as it is."""
        table = np.zeros(DIRECT, np.uint8)
        for number, group in enumerate(self.labels, start=1):
            table[list(group)] = number
        return table


def label_set(labels: LabelValues) -> frozenset[int]:
    """The labels of a class that has one or several."""
    return frozenset(labels if isinstance(labels, Iterable) else [labels])


def layered(classes: Mapping[str, LabelValues]) -> list[Layer]:
    """Distribute classes (name -> label or labels) over as few layers as a greedy pass finds.

    Raises: SpecError if a class has no label or one outside 0…65535.
    """
    found: list[Layer] = []
    for name, value in classes.items():
        group = label_set(value)
        if not group or not all(0 <= label <= LARGEST_LABEL for label in group):
            raise SpecError(
                f"class {name!r} must have labels between 0 and {LARGEST_LABEL}, got"
                f" {sorted(group)}."
            )
        for layer in found:
            if len(layer.names) < DIRECT - 1 and not any(group & other for other in layer.labels):
                break
        else:
            layer = Layer([], [])
            found.append(layer)
        layer.names.append(name)
        layer.labels.append(group)
    return found


def in_rows(
    prediction: NDArray[Any], reference: NDArray[Any], spacing_mm: tuple[float, ...]
) -> tuple[NDArray[Any], NDArray[Any], tuple[float, ...]]:
    """Both maps and the spacing, with their axes reversed where that makes the maps contiguous.

    NIfTI files lie on disk with the first axis fastest; nothing measured depends on the order.
    """
    if reference.flags.f_contiguous and not reference.flags.c_contiguous:
        return prediction.T, reference.T, spacing_mm[::-1]
    return prediction, reference, spacing_mm


def as_bytes(
    volume: NDArray[Any], layer: Layer, direct: bool, run: Callable[..., Any]
) -> NDArray[np.uint8]:
    """`volume` as bytes: itself if `direct`, otherwise the layer's classes, counted from 1.

    `run(function, arguments)` maps a function over pieces, perhaps in threads.
    """
    if direct:
        return read_only(np.ascontiguousarray(volume).view(np.uint8))
    table = _table(layer, volume.dtype)
    out = np.empty(volume.shape, np.uint8)
    step = max(1, VOXELS_AT_ONCE // max(1, volume[0].size))
    run(
        lambda start: _relabel(volume[start : start + step], table, out[start : start + step]),
        range(0, len(volume), step),
    )
    return read_only(out)


def _table(layer: Layer, dtype: np.dtype[Any]) -> NDArray[np.uint8]:
    """Classes by label: by bit pattern for 8 and 16 bits, otherwise by `label + 1`, clipped."""
    narrow = dtype.itemsize <= 2
    most = 1 if dtype.kind == "b" else np.iinfo(dtype).max
    size = 1 << 8 * dtype.itemsize if narrow else max(v for g in layer.labels for v in g) + 3
    table = np.zeros(size, np.uint8)
    for number, group in enumerate(layer.labels, start=1):
        for label in group:
            if not narrow:
                table[label + 1] = number
            elif label <= most:
                table[label] = number
    return table


def _relabel(volume: NDArray[Any], table: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """Write the class of each voxel of `volume` to `out`."""
    native = volume.astype(volume.dtype.newbyteorder("="), order="C", copy=False)
    if volume.dtype.itemsize <= 2:
        np.take(table, native.view(f"u{volume.dtype.itemsize}"), out=out)
    else:
        limit = table.size - 2
        np.take(table, np.clip(native, -1, limit).astype(np.int64) + 1, out=out)


def check_maps(
    prediction: NDArray[Any], reference: NDArray[Any], spacing_mm: Sequence[float]
) -> tuple[float, ...]:
    """Refuse what can't be scored, and give the spacing as floats.

    Raises: DataError if the maps are not of integers, of different shapes, empty, not 2D or 3D, or
    if the spacing is not one positive number per axis.
    """
    for side, volume in (("prediction", prediction), ("reference", reference)):
        if volume.dtype.kind not in "biu":
            raise DataError(
                f"{side} must hold integer labels, not {volume.dtype}: convert it with"
                " .astype('uint8') once it is thresholded or arg-maxed."
            )
    if prediction.shape != reference.shape:
        raise DataError(
            f"prediction and reference must have one shape, got {prediction.shape} and"
            f" {reference.shape}: resample the prediction onto the reference's grid."
        )
    if reference.ndim not in (2, 3) or not reference.size:
        raise DataError(
            f"a label map must be (d, h, w) or (h, w) with at least one voxel, got"
            f" {reference.shape}: score one case at a time."
        )
    spacing = tuple(float(mm) for mm in spacing_mm)
    if len(spacing) != reference.ndim or not all(0 < mm < np.inf for mm in spacing):
        raise DataError(
            f"spacing_mm must be {reference.ndim} positive numbers, one per axis, got {spacing}."
        )
    return spacing
