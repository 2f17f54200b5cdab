"""Reading a weights file, whoever wrote it, without running anything that is in it."""

import math
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from voxbench.errors import WeightsError
from voxbench.files import hex_digest
from voxbench.model.pickles import read_torch

WRAPPERS = ("state_dict", "network_weights", "net", "student", "model", "teacher")
PREFIXES = ("module.", "backbone.", "_orig_mod.")
MOST_UNPACKED = 20
"""Times its size that a file may declare: weights don't compress well, bombs do."""
_SMALL = 2**26  # bytes that any file may declare


class Layout(NamedTuple):
    """How a file was packed.

    Attributes:
        format: safetensors, npz or torch.
        wrappers: keys that were opened, the outermost first.
        prefixes: that were stripped, each chain once ("module.backbone.").
        stood_in: classes of other packages that were read as inert stand-ins.
    """

    format: str
    wrappers: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    stood_in: tuple[str, ...] = ()


class Contents(dict[str, Tensor]):
    """Tensors of a file by plain name.

    Attributes:
        beside: numbers, texts, lists and tables that the file held beside its tensors.
        layout: how they were packed.
    """

    beside: Mapping[str, Any]
    layout: Layout


def read_weights(path: Path | str, expected: str | None = None, *, trust: bool = False) -> Contents:
    """The tensors of a weights file under their plain names.

    Reads `.safetensors`, `.npz` (without pickles) and torch files (without running code).
    Wrappers are opened (`WRAPPERS`), repeated prefixes stripped (`PREFIXES`); plain settings
    beside the tensors are kept apart.

    Args:
        path: of the file.
        expected: sha256 that it must have.
        trust: let a torch file run what it wants; only for a file that the user named.

    Raises:
        WeightsError: missing, another checksum, truncated, would run code, no tensors,
            declares far more than it holds, or values that are not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"{path}: no such weights file.")
    if expected and (found := sha256(path)) != expected:
        raise WeightsError(
            f"{path}: sha256 is {found}, the baseline's card says {expected}: another version, "
            "or a damaged download."
        )
    try:
        return _contents(path, trust)
    except WeightsError:
        raise
    except Exception as error:  # broken or hostile bytes may raise anything
        raise WeightsError(f"{path}: not a readable weights file ({_short(error)}).") from error


def _contents(path: Path, trust: bool) -> Contents:
    content, form, stood_in = _read(path, trust)
    inner, wrappers = _unwrapped(content)
    tensors, prefixes = _stripped(path, inner)
    found = Contents(tensors)
    found.beside = {str(k): v for k, v in content.items() if _is_plain(v)}
    found.layout = Layout(form, wrappers, prefixes, tuple(stood_in))
    if not found:
        raise WeightsError(f"{path}: holds no tensors.")
    _refuse_bomb(path, sum(t.numel() * t.element_size() for t in found.values()))
    for name, tensor in found.items():
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
            raise WeightsError(
                f"{path}: {name} is no plain tensor (sparse, quantised or without values)."
            )
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise WeightsError(f"{path}: {name} has values that are not finite; the file is bad.")
    return found


def sha256(path: Path | str) -> str:
    """Checksum of a file; read again only if its size or date changed.

    Raises:
        WeightsError: the file can't be read.
    """
    try:
        stat = Path(path).stat()
        return _sha256(Path(path), stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise WeightsError(f"{path}: no such weights file ({error.strerror}).") from error


@cache
def _sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    return hex_digest(path)


def _read(path: Path, trust: bool) -> tuple[Mapping[Any, Any], str, list[str]]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path), "safetensors", []
    if path.suffix == ".npz":
        return _read_npz(path), "npz", []
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _refuse_bomb(path, sum(entry.file_size for entry in archive.infolist()))
    content, stood_in = read_torch(path, trust=trust)
    return content, "torch", stood_in


def _read_npz(path: Path) -> dict[str, Tensor]:
    with zipfile.ZipFile(path) as archive:
        _refuse_bomb(path, sum(entry.file_size for entry in archive.infolist()))
        for entry in archive.infolist():
            with archive.open(entry) as file:
                _refuse_empty_shape(path, entry, file)
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def _refuse_empty_shape(path: Path, entry: zipfile.ZipInfo, file: IO[bytes]) -> None:
    """An array whose header declares more than its entry holds is allocated before it is read."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0
    shape, _, dtype = read[version[0] > 1](file)
    if (declared := math.prod(shape) * dtype.itemsize) > entry.file_size:
        raise WeightsError(
            f"{path}: {entry.filename} declares {declared:,} bytes and holds {entry.file_size:,}; "
            "the file is bad."
        )


def _refuse_bomb(path: Path, declared: int) -> None:
    size = path.stat().st_size
    if declared > max(_SMALL, MOST_UNPACKED * size):
        raise WeightsError(
            f"{path}: {size:,} bytes that would unpack to {declared:,}, more than "
            f"{MOST_UNPACKED} times as much; no weights do that."
        )


def _unwrapped(content: Mapping[Any, Any]) -> tuple[Mapping[Any, Any], tuple[str, ...]]:
    for wrapper in WRAPPERS:
        if isinstance(content.get(wrapper), Mapping):
            inner, wrappers = _unwrapped(content[wrapper])
            return inner, (wrapper, *wrappers)
    return content, ()


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float | bool)


def _stripped(path: Path, content: Mapping[Any, Any]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    tensors: dict[str, Tensor] = {}
    prefixes: dict[str, None] = {}
    for key, value in content.items():
        if not isinstance(value, Tensor):
            continue
        name = str(key)
        while name.startswith(PREFIXES):
            name = name.partition(".")[2]
        if name in tensors:
            raise WeightsError(f"{path}: two tensors are called {name} once prefixes are stripped.")
        tensors[name] = value.detach()
        prefixes[str(key).removesuffix(name)] = None
    return tensors, tuple(prefix for prefix in prefixes if prefix)


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(". ")[0][:160] or type(error).__name__
