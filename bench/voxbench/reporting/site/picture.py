"""A case small enough for a page: image, reference and prediction on one grid, and a still."""

import base64
import gzip
import io
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import nibabel
import numpy as np
from nibabel.affines import voxel_sizes
from numpy.typing import NDArray

from voxbench.api import IGNORED, TaskCard
from voxbench.data.nifti import Volume
from voxbench.data.volumes import CaseVolumes
from voxbench.errors import DataError

LIMIT = 1_000_000  # voxels: as base64 of 8 bits each at most 1.4 MB, before compression
CONTEXT_MM = 20.0  # around what is segmented, where an image is cropped
REFERENCE, PREDICTION = (0, 158, 115), (213, 94, 0)  # Okabe and Ito's green and vermillion

Labels = NDArray[np.uint8]
Affine = NDArray[np.float64]
Box = tuple[slice, slice, slice]


class Picture(NamedTuple):
    """What a viewer loads, each a base64 NIfTI, and a still of one slice as base64 PNG.

    Attributes:
        shape: voxels along R, A, S.
        stride: of them, every how manyth was kept.
        cropped: to the surroundings of what is segmented.
        window: the intensities that are black and white.
        size_mm: of the still's tiles, across and down.
        doubts: what doubts the case → a map as base64 NIfTI, on the grid of the others.
    """

    image: str
    reference: str
    prediction: str
    still: str
    shape: tuple[int, int, int]
    stride: tuple[int, int, int]
    cropped: bool
    window: tuple[float, float]
    size_mm: tuple[float, float]
    doubts: Mapping[str, str] = MappingProxyType({})


def picture(
    volumes: CaseVolumes,
    prediction: Volume,
    card: TaskCard,
    doubts: Mapping[str, Volume] = MappingProxyType({}),
) -> Picture:
    """Window, crop and thin out a case until it has at most `LIMIT` voxels.

    The first channel is shown: in the task's window if it is CT, else between its 0.5th and 99.5th
    percentile. The axes are turned to R, A, S, as far as the file's grid allows.

    Raises:
        DataError: the case has no label, or the prediction or a map of doubt is on another grid, or
            it holds a label that the task has not.
    """
    labels = _checked(volumes, prediction, card)
    image, affine = _turned(volumes.image[0], volumes.affine)
    label = np.where(labels == IGNORED, 0, labels).astype(np.uint8)
    reference, _ = _turned(label, volumes.affine)
    predicted, _ = _turned(prediction.array.astype(np.uint8), volumes.affine)
    box = _box(reference, predicted, affine)
    stride = _stride(image[box].shape, affine)
    kept: Box = tuple(slice(b.start, b.stop, s) for b, s in zip(box, stride, strict=True))  # type: ignore[assignment]
    affine = _moved(affine, [b.start for b in box], stride)
    image, reference, predicted = image[kept], reference[kept], predicted[kept]
    window = card.window if card.modalities[0] == "CT" else _percentiles(image)
    grey = _grey(image, window)
    still, size = _still(grey, reference, predicted, voxel_sizes(affine))
    maps = {}
    for name, doubt in doubts.items():
        _check_grid(doubt, volumes, f"map of {name}")
        turned, _ = _turned(doubt.array.astype(np.uint8), volumes.affine)
        maps[name] = _nifti(turned[kept], affine)
    cropped = any(b.stop - b.start < n for b, n in zip(box, labels.shape, strict=True))
    return Picture(
        _nifti(grey, affine), _nifti(reference, affine), _nifti(predicted, affine), still,
        grey.shape, stride, cropped, window, size, maps,
    )  # fmt: skip


def _checked(volumes: CaseVolumes, prediction: Volume, card: TaskCard) -> NDArray[np.uint8]:
    """The reference, once the prediction is known to be comparable with it."""
    if volumes.label is None:
        raise DataError("the case has no label here to show the stored prediction with.")
    _check_grid(prediction, volumes, "prediction")
    low, high = int(prediction.array.min()), int(prediction.array.max())
    if low < 0 or high > len(card.parts):
        raise DataError(
            f"the stored prediction holds labels {low} … {high}, the task has 0 … "
            f"{len(card.parts)}."
        )
    return volumes.label


def _check_grid(stored: Volume, volumes: CaseVolumes, what: str) -> None:
    shape = volumes.image.shape[1:]
    if stored.array.shape != shape:
        raise DataError(
            f"the stored {what} has the shape {stored.array.shape}, the reference {shape}."
        )
    if not np.allclose(stored.affine, volumes.affine, atol=1e-2):
        raise DataError(f"the stored {what} lies elsewhere in space than the reference.")


def _turned(array: NDArray[Any], affine: Affine) -> tuple[NDArray[Any], Affine]:
    turned = nibabel.as_closest_canonical(nibabel.Nifti1Image(array, affine))
    return np.asanyarray(turned.dataobj), np.asarray(turned.affine)


def _box(reference: Labels, prediction: Labels, affine: Affine) -> Box:
    """The whole grid if it is small enough, else what is segmented with its surroundings."""
    whole = tuple(slice(0, n) for n in reference.shape)
    segmented = np.argwhere((reference > 0) | (prediction > 0))
    if reference.size <= LIMIT or not len(segmented):
        return whole  # type: ignore[return-value]
    around = np.ceil(CONTEXT_MM / voxel_sizes(affine)).astype(int)
    low = np.maximum(segmented.min(axis=0) - around, 0)
    high = np.minimum(segmented.max(axis=0) + 1 + around, reference.shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))  # type: ignore[return-value]


def _stride(shape: tuple[int, ...], affine: Affine) -> tuple[int, int, int]:
    """Thin out the axis with the smallest spacing first, until the limit is met."""
    stride, spacing = np.ones(3, int), voxel_sizes(affine)
    while np.prod(-(-np.array(shape) // stride)) > LIMIT:
        stride[int(np.argmin(spacing * stride))] += 1
    return int(stride[0]), int(stride[1]), int(stride[2])


def _moved(affine: Affine, start: list[int], stride: tuple[int, int, int]) -> Affine:
    step = np.eye(4)
    step[:3, 3] = start
    step[np.arange(3), np.arange(3)] = stride
    return np.asarray(affine @ step)


def _percentiles(image: NDArray[np.floating]) -> tuple[float, float]:
    low, high = (float(value) for value in np.percentile(image, (0.5, 99.5)))
    return (low, high) if high > low else (low, low + 1.0)


def _grey(image: NDArray[np.floating], window: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = window
    share = (np.clip(image, low, high) - low) / (high - low)
    grey: NDArray[np.uint8] = np.round(255 * share).astype(np.uint8)
    return grey


def _nifti(array: NDArray[np.uint8], affine: Affine) -> str:
    image = nibabel.Nifti1Image(np.ascontiguousarray(array), affine)
    image.header.set_xyzt_units("mm")
    return base64.b64encode(gzip.compress(image.to_bytes(), mtime=0)).decode()


def _still(
    grey: NDArray[np.uint8], reference: Labels, prediction: Labels, spacing: NDArray[np.float64]
) -> tuple[str, tuple[float, float]]:
    """The axial slice with most of the reference, as it is, with reference, with prediction."""
    from matplotlib.image import imsave

    area = (reference > 0).sum(axis=(0, 1))
    level = int(np.argmax(area if area.any() else (prediction > 0).sum(axis=(0, 1))))
    plane = np.repeat(_seen(grey[:, :, level])[..., None], 3, axis=2).astype(np.float64)
    tiles = [plane]
    for labels, colour in ((reference, REFERENCE), (prediction, PREDICTION)):
        tile = plane.copy()
        inside = _seen(labels[:, :, level]) > 0
        tile[inside] = 0.45 * tile[inside] + 0.55 * np.array(colour)
        tiles.append(tile)
    file = io.BytesIO()
    shown = np.concatenate(tiles, axis=1).round().astype(np.uint8)
    imsave(file, shown, format="png", metadata={"Software": None})
    size = 3 * grey.shape[0] * float(spacing[0]), grey.shape[1] * float(spacing[1])
    return base64.b64encode(file.getvalue()).decode(), size


def _seen(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An axial plane (R, A) as it is looked at: from the feet, anterior up."""
    return plane.T[::-1, ::-1]
