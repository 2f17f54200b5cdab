"""A stranger's label map: its header is judged before a voxel is decompressed."""

import math
import struct
import warnings
import zlib
from typing import NamedTuple

import nibabel
import numpy as np
from numpy.typing import NDArray

from voxbench.data.kept_map import MARK

MOST_VOXELS = 1 << 29  # 512 MB as bytes
_HEADER = 352
_FURTHEST = 1 << 16  # where voxels may begin: behind the header's extensions
_KINDS = {(2, 8): "u1", (512, 16): "u2"}
"""Datatype and bits of a header → what labels are stored as."""
_CUT_OFF = "its compressed data end too early"


class SubmittedMap(NamedTuple):
    """A label map of a bundle.

    Attributes:
        labels: (d, h, w) uint8 or uint16, as they are stored.
        affine: (4, 4) to RAS+ millimetres.
        marked: whether they are label values; older ones are class indices.
    """

    labels: NDArray[np.unsignedinteger]
    affine: NDArray[np.float64]
    marked: bool


def read_map(raw: bytes) -> SubmittedMap:
    """Read a compressed NIfTI label map, as `voxbench run --predictions` writes them.

    Raises:
        ValueError: anything else.
    """
    inflate = zlib.decompressobj(wbits=31)
    head = _take(inflate, raw, _HEADER)
    shape, kind, offset, affine = _judged(head)
    voxels = math.prod(shape)
    size = offset - _HEADER + voxels * kind.itemsize
    body = _take(inflate, inflate.unconsumed_tail, size)
    if _inflated(inflate, inflate.unconsumed_tail, 1):
        raise ValueError("it holds more bytes than its header says")
    if not inflate.eof:
        raise ValueError(_CUT_OFF)
    if inflate.unused_data:
        raise ValueError("something follows its compressed data")
    labels = np.frombuffer(body, kind, voxels, offset - _HEADER)
    return SubmittedMap(labels.reshape(shape, order="F"), affine, head[148:].startswith(MARK))


def _take(inflate: "zlib._Decompress", compressed: bytes, size: int) -> bytes:
    """The next `size` bytes of one gzip member."""
    content = _inflated(inflate, compressed, size)
    if len(content) < size:
        raise ValueError("it ends too early" if inflate.eof else _CUT_OFF)
    return content


def _inflated(inflate: "zlib._Decompress", compressed: bytes, most: int) -> bytes:
    try:
        return inflate.decompress(compressed, most)
    except zlib.error as error:
        raise ValueError(f"it is no gzip file, or a damaged one ({error})") from None


def _judged(
    head: bytes,
) -> tuple[tuple[int, int, int], np.dtype[np.unsignedinteger], int, NDArray[np.float64]]:
    """Shape, type and offset of the voxels, and affine, if the header is one of a label map."""
    order = {b"\x5c\1\0\0": "<", b"\0\0\1\x5c": ">"}.get(head[:4])
    if order is None or head[344:348] != b"n+1\0":
        raise ValueError("it is no NIfTI-1 file")
    axes, *shape = struct.unpack_from(f"{order}8h", head, 40)
    if axes != 3 or min(shape[:3]) < 1:
        raise ValueError(f"a label map has 3 axes, its header says {axes}: {shape[:3]}")
    if math.prod(shape[:3]) > MOST_VOXELS:
        raise ValueError(f"its header says {shape[:3]} voxels; at most {MOST_VOXELS:,} are read")
    kind, bits = struct.unpack_from(f"{order}2h", head, 70)
    if (kind, bits) not in _KINDS:
        raise ValueError(f"a label map holds uint8 or uint16, its header says datatype {kind}")
    offset, slope, inter = struct.unpack_from(f"{order}3f", head, 108)
    if not (_HEADER <= offset <= _FURTHEST and offset == int(offset)):
        raise ValueError(f"its header says that voxels begin at {offset}")
    if not (slope in (0.0, 1.0) or math.isnan(slope)) or not (inter == 0 or math.isnan(inter)):
        raise ValueError("its values are scaled, which labels are not")
    stored = np.dtype(order + _KINDS[kind, bits])
    return (shape[0], shape[1], shape[2]), stored, int(offset), _affine(head, order)


def _affine(head: bytes, order: str) -> NDArray[np.float64]:
    spacing = struct.unpack_from(f"{order}3f", head, 80)
    if not all(0 < abs(mm) <= 1000 for mm in spacing):
        raise ValueError(f"its header says voxels of {spacing} mm")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        header = nibabel.Nifti1Header(head[:348], check=False)
        affine = np.asarray(header.get_best_affine(), np.float64)
        regular = np.isfinite(affine).all() and 1e-12 < abs(np.linalg.det(affine)) < 1e12
    if not regular:
        raise ValueError("its affine has no inverse")
    return affine
