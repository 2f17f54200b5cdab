"""Files that are not what was published: broken off, damaged, a part, or a bomb; read off bytes."""

import json
import math
import re
import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from voxbench.errors import WeightsError

MOST_UNPACKED = 20
"""Times its size that a file may declare: weights don't compress well, bombs do."""
_SMALL = 2**26  # bytes that any file may declare
_LONGEST_HEADER = 10**8  # bytes, as safetensors has it
_PART = re.compile(r"-0*(\d+)-of-0*(\d+)\.")


def refuse_damaged(path: Path) -> None:
    """Refuse a file whose bytes show that it can't be read whole.

    Raises:
        WeightsError: a part of a sharded checkpoint, truncated, damaged, or declares far more
            than it holds.
    """
    _refuse_part(path)
    size = path.stat().st_size
    if not size:
        raise WeightsError(f"{path}: empty, a download that never began; get it again.")
    with path.open("rb") as file:
        head = file.read(8)
        if path.suffix == ".safetensors":
            _refuse_short(path, size, head, file)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            refuse_bomb(path, sum(entry.file_size for entry in archive.infolist()))
            _refuse_other_content(path, archive)
    elif head.startswith(b"PK\x03\x04"):
        raise truncated(path, "an archive without its end")


def truncated(path: Path, why: str) -> WeightsError:
    """The error of a file that ends too early."""
    return WeightsError(f"{path}: truncated ({why}), a download that broke off; get it again.")


def refuse_bomb(path: Path, declared: int) -> None:
    """Refuse a file that would unpack to far more bytes than it has."""
    size = path.stat().st_size
    if declared > max(_SMALL, MOST_UNPACKED * size):
        raise WeightsError(
            f"{path}: {size:,} bytes that would unpack to {declared:,}, more than "
            f"{MOST_UNPACKED} times as much; no weights do that."
        )


def refuse_empty_shapes(path: Path) -> None:
    """Refuse a numpy archive with an array that declares more than it holds.

    Such an array would be allocated before it is read.
    """
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as file:
                version = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0
                shape, _, dtype = read[version[0] > 1](file)
            if (declared := math.prod(shape) * dtype.itemsize) > entry.file_size:
                raise WeightsError(
                    f"{path}: {entry.filename} declares {declared:,} bytes and holds "
                    f"{entry.file_size:,}; the file is bad."
                )


def _refuse_part(path: Path) -> None:
    part = _PART.search(path.name)
    if (part and int(part[2]) > 1) or path.name.endswith(".index.json"):
        which = f"part {part[1]} of {part[2]}" if part else "the index"
        raise WeightsError(
            f"{path}: {which} of a sharded checkpoint, which is no network alone; put the tensors "
            "of all parts into one file."
        )


def _refuse_short(path: Path, size: int, head: bytes, file: IO[bytes]) -> None:
    """A safetensors file says at its start how long it is."""
    length = int.from_bytes(head, "little")
    if length > _LONGEST_HEADER:
        return  # no header: safetensors says so
    header = file.read(length)
    if len(head) < 8 or len(header) < length:
        raise truncated(path, "it ends within its header")
    tensors = [one for name, one in json.loads(header).items() if name != "__metadata__"]
    end = 8 + length + max((one["data_offsets"][1] for one in tensors), default=0)
    if size < end:
        raise truncated(path, f"{size:,} bytes of {end:,}")


def _refuse_other_content(path: Path, archive: zipfile.ZipFile) -> None:
    """Each entry must have the checksum that the archive states; torch doesn't look."""
    if bad := archive.testzip():
        raise WeightsError(
            f"{path}: damaged, {bad} has not the checksum that the archive states; get it again."
        )
