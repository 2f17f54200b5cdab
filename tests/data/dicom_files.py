"""DICOM files byte by byte (PS3.5, explicit little endian): no library writes what it reads."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

CT = "1.2.840.10008.5.1.4.1.1.2"
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def element(tag: str, kind: str, value: bytes | str) -> bytes:
    content = value.encode("latin-1") if isinstance(value, str) else value
    content += (b"\0" if kind in ("UI", "OB", "OW") else b" ") * (len(content) % 2)
    head = struct.pack("<HH", *(int(part, 16) for part in tag.split(","))) + kind.encode()
    size = (
        struct.pack("<HI", 0, len(content))
        if kind in ("OB", "OW")
        else struct.pack("<H", len(content))
    )
    return head + size + content


def numbers(values: Sequence[float]) -> str:
    return "\\".join(f"{value:.10g}"[:16] for value in values)


def write_slice(
    path: Path,
    pixels: np.ndarray,
    affine: np.ndarray,
    at: int,
    *,
    series: str = "1.2.3.4",
    slope: float = 1,
    intercept: float = 0,
    without: Sequence[str] = (),
    **changed: str,
) -> Path:
    """Slice `at` of a volume (column, row, slice) with this RAS affine; stored (column, row).

    Args:
        without: tags that are left out.
        changed: tags by their digits, as `t00280030="1\\\\1"`.
    """
    lps = LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    cosines = lps[:3, :3] / spacing
    told = {
        "0008,0016": ("UI", CT),
        "0008,0018": ("UI", f"{series}.{at + 1}"),
        "0008,0060": ("CS", "CT"),
        "0020,000d": ("UI", "1.2.3"),
        "0020,000e": ("UI", series),
        "0020,0013": ("IS", str(at + 1)),
        "0020,0032": ("DS", numbers((lps @ (0, 0, at, 1))[:3])),
        "0020,0037": ("DS", numbers([*cosines[:, 0], *cosines[:, 1]])),
        "0028,0002": ("US", struct.pack("<H", 1)),
        "0028,0004": ("CS", "MONOCHROME2"),
        "0028,0010": ("US", struct.pack("<H", pixels.shape[1])),
        "0028,0011": ("US", struct.pack("<H", pixels.shape[0])),
        "0028,0030": ("DS", numbers([spacing[1], spacing[0]])),
        "0028,0100": ("US", struct.pack("<H", 16)),
        "0028,0101": ("US", struct.pack("<H", 16)),
        "0028,0102": ("US", struct.pack("<H", 15)),
        "0028,0103": ("US", struct.pack("<H", 1)),
        "0028,1052": ("DS", str(intercept)),
        "0028,1053": ("DS", str(slope)),
        "7fe0,0010": ("OW", np.ascontiguousarray(pixels.T, "<i2").tobytes()),
    }
    for name, value in changed.items():
        tag = f"{name[1:5]},{name[5:]}"
        told[tag] = (told[tag][0], value)
    body = b"".join(element(tag, *told[tag]) for tag in sorted(told) if tag not in without)
    meta = b"".join(
        (
            element("0002,0001", "OB", b"\0\1"),
            element("0002,0002", "UI", CT),
            element("0002,0003", "UI", f"{series}.{at + 1}"),
            element("0002,0010", "UI", "1.2.840.10008.1.2.1"),
            element("0002,0012", "UI", "1.2.3.9"),
        )
    )
    length = element("0002,0000", "UL", struct.pack("<I", len(meta)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(128) + b"DICM" + length + meta + body)
    return path


def write_series(
    folder: Path,
    stored: np.ndarray,
    affine: np.ndarray,
    names: Sequence[str] | None = None,
    **told: float,
) -> Mapping[int, Path]:
    """A volume (column, row, slice) as a folder of slices; slice → file."""
    names = names or [f"IMG-0001-{at + 1:05d}.dcm" for at in range(stored.shape[2])]
    return {
        at: write_slice(folder / name, stored[:, :, at], affine, at, **told)
        for at, name in enumerate(names)
    }
