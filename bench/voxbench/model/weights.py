"""Reading a weights file, whoever wrote it, without running anything that is in it."""

import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from voxbench.errors import WeightsError
from voxbench.files import hex_digest
from voxbench.model.damage import refuse_bomb, refuse_damaged, refuse_empty_shapes, truncated
from voxbench.model.layout import TRAINERS, FileLayout, plain_names, unwrapped
from voxbench.model.pickles import read_torch

_BROKEN_OFF = ("unexpected EOF", "Ran out of input", "was truncated", "but only")


class Contents(dict[str, Tensor]):
    """Tensors of a file by plain name.

    Attributes:
        beside: numbers, texts, lists and tables that the file held beside its tensors.
        layout: how they were packed.
    """

    beside: Mapping[str, Any]
    layout: FileLayout


def read_weights(path: Path | str, expected: str | None = None, *, trust: bool = False) -> Contents:
    """The tensors of a weights file under their plain names.

    Reads `.safetensors`, `.npz` (without pickles) and torch files (without running code).
    Wrappers are opened and prefixes stripped (`voxbench.model.layout`); of a network and its moving
    average the average is taken; plain settings beside the tensors are kept apart.

    Args:
        path: of the file.
        expected: sha256 that it must have.
        trust: let a torch file run what it wants; only for a file that the user named.

    Raises:
        WeightsError: missing, another checksum, truncated, damaged, a part of several, would run
            code, no tensors, declares far more than it holds, or values that are not finite or
            nothing but zeros.
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
        refuse_damaged(path)
        return _contents(path, trust)
    except WeightsError as error:
        raise WeightsError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    except Exception as error:  # broken or hostile bytes may raise anything
        if not zipfile.is_zipfile(path) and any(sign in str(error) for sign in _BROKEN_OFF):
            raise truncated(path, _short(error)) from error
        raise WeightsError(f"{path}: not a readable weights file ({_short(error)}).") from error


def _contents(path: Path, trust: bool) -> Contents:
    content, form, stood_in = _read(path, trust)
    inner, wrappers, passed_over = unwrapped(content)
    # a safetensors file is written for others: what it calls encoder is one beside others
    trainers = TRAINERS if form == "torch" else TRAINERS[:-1]
    tensors, prefixes = plain_names(inner, trainers)
    found = Contents(tensors)
    found.beside = _settings(content)
    found.layout = FileLayout(form, wrappers, prefixes, tuple(stood_in), passed_over)
    if not found:
        raise WeightsError(f"{path}: holds no tensors.")
    refuse_bomb(path, sum(t.numel() * t.element_size() for t in found.values()))
    for name, tensor in found.items():
        _check_values(name, tensor)
    if all(not tensor.any() for tensor in found.values()):
        raise WeightsError(f"{path}: holds nothing but zeros; the file is bad.")
    return found


def read_settings(path: Path | str) -> Mapping[str, Any]:
    """What a torch file holds beside its tensors, whose values are left alone.

    Raises:
        WeightsError: not readable, or it would run code.
    """
    try:
        return _settings(read_torch(Path(path))[0])
    except WeightsError:
        raise
    except Exception as error:  # broken or hostile bytes may raise anything
        raise WeightsError(f"{path}: not a readable weights file ({_short(error)}).") from error


def _settings(content: Mapping[Any, Any]) -> dict[str, Any]:
    """Numbers, texts and lists, also those of tables that hold other things too."""
    found = {}
    for key, value in content.items():
        plain = _settings(value) if isinstance(value, Mapping) else value
        if _is_plain(plain) and (plain or plain is value):
            found[str(key)] = plain
    return found


def _check_values(name: str, tensor: Tensor) -> None:
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
        raise WeightsError(f"{name} is no plain tensor (sparse, quantised or without values).")
    if tensor.is_floating_point() and tensor.element_size() == 1:
        raise WeightsError(f"{name} is {tensor.dtype}, quantised, and its scale is not beside it.")
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        raise WeightsError(f"{name} has values that are not finite; the file is bad.")


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
        refuse_empty_shapes(path)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in arrays.files}, "npz", []
    content, stood_in = read_torch(path, trust=trust)
    return content, "torch", stood_in


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float | bool)


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(". ")[0][:160] or type(error).__name__
