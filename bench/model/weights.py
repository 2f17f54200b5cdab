"""Reading a weights file, whoever wrote it, without running anything that is in it."""

import hashlib
import pickle
import re
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from bench.errors import WeightsError
from bench.model.torchscript import is_torchscript, read_torchscript

WRAPPERS = ("state_dict", "network_weights", "net", "student", "model")
PREFIXES = ("module.", "backbone.", "_orig_mod.")
# settings that published files carry beside their tensors; read as inert stand-ins
HARMLESS = ("argparse.", "pathlib.", "numpy.", "_codecs.encode")


class Contents(dict[str, Tensor]):
    """Tensors of a file by plain name.

    Attributes:
        beside: numbers, texts, lists and tables that the file held beside its tensors.
    """

    beside: Mapping[str, Any]


def read_weights(path: Path | str, expected: str | None = None) -> Contents:
    """The tensors of a weights file under their plain names.

    Reads `.safetensors`, `.npz` (without pickles) and torch files (without running code).
    Wrappers are opened (`WRAPPERS`), repeated prefixes stripped (`PREFIXES`); plain settings
    beside the tensors are kept apart.

    Args:
        path: of the file.
        expected: sha256 that it must have.

    Raises:
        WeightsError: missing, another checksum, truncated, would run code, no tensors, or
            values that are not finite.
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
        content = _read(path)
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: not a readable weights file ({_short(error)}).") from error
    tensors = Contents(_stripped(path, _unwrapped(content)))
    tensors.beside = {str(k): v for k, v in content.items() if _is_plain(v)}
    if not tensors:
        raise WeightsError(f"{path}: holds no tensors.")
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise WeightsError(f"{path}: {name} has values that are not finite; the file is bad.")
    return tensors


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
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> Mapping[str, Any]:
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(str(error)) from error
    if path.suffix == ".npz":
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
        except BadZipFile as error:
            raise ValueError(str(error)) from error
    return _read_torch(path)


def _read_torch(path: Path) -> Mapping[str, Any]:
    if is_torchscript(path):
        return _read_torchscript(path)
    beside = _globals(path)
    foreign = [name for name in beside if not name.startswith(HARMLESS)]
    if foreign:
        raise WeightsError(f"{path}: refused, it would run {', '.join(foreign)}; {_WAY_OUT}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch's advice on old pickles
            with torch.serialization.safe_globals([(_Inert, name) for name in beside]):
                content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        what = f"it would run {named[1]}" if named else _short(error)
        raise WeightsError(f"{path}: refused, {what}; {_WAY_OUT}") from error
    if isinstance(content, torch.jit.ScriptModule) or not isinstance(content, Mapping):
        raise WeightsError(f"{path}: holds a {type(content).__name__}, no tensors; {_WAY_OUT}")
    return content


def _read_torchscript(path: Path) -> Mapping[str, Any]:
    try:
        return read_torchscript(path)
    except pickle.UnpicklingError as error:
        what = str(error).removeprefix("GLOBAL ")
        raise WeightsError(f"{path}: refused, it would run {what}; {_WAY_OUT}") from error


_WAY_OUT = "save its state_dict alone, or as safetensors."


class _Inert:
    """Stands in for a harmless object of a published file; keeps and does nothing."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


def _globals(path: Path) -> list[str]:
    """What a torch file asks to import beyond tensors; a file in the old format isn't scanned."""
    try:
        return torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except ValueError:
        return []


def _unwrapped(content: Mapping[str, Any]) -> Mapping[str, Any]:
    for wrapper in WRAPPERS:
        if isinstance(content.get(wrapper), Mapping):
            return _unwrapped(content[wrapper])
    return content


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float | bool)


def _stripped(path: Path, content: Mapping[str, Any]) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for key, value in content.items():
        if not isinstance(value, Tensor):
            continue
        name = str(key)
        while name.startswith(PREFIXES):
            name = name.partition(".")[2]
        if name in tensors:
            raise WeightsError(f"{path}: two tensors are called {name} once prefixes are stripped.")
        tensors[name] = value.detach()
    return tensors


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(". ")[0][:160] or type(error).__name__
