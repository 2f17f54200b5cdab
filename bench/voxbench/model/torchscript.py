"""Tensors of a TorchScript archive, without running its code.

`torch.jit.load` compiles and runs what the archive says. Here its pickle is read by an unpickler
that knows tensors alone: objects become inert holders of their attributes, anything else is
refused, and the code in the archive is never opened.
"""

import math
import pickle
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_STORAGES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
}
_LISTS = {f"build_{kind}list" for kind in ("int", "double", "bool", "tensor")}
"""What makes the lists of a scripted layer, such as the padding of a convolution."""


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript archive: a zip with code beside its tensors."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """The tensors of a scripted module by the path of their attributes (`init.0.weight`).

    Raises:
        pickle.UnpicklingError: it asks for more than tensors; "GLOBAL name" tells for what.
        ValueError: damaged.
    """
    with zipfile.ZipFile(path) as archive:
        pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise ValueError(f"{len(pickles)} files data.pkl in the archive")
        root = pickles[0].removesuffix("data.pkl")
        return dict(_tensors(_Unpickler(archive, root).load(), ""))


class _Inert:
    """Stands in for an object of the archive; keeps its attributes and does nothing."""

    def __setstate__(self, state: Any) -> None:
        self.kept = state if isinstance(state, dict) else {}


class _Unpickler(pickle.Unpickler):
    """Knows tensors, dictionaries and inert objects."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(BytesIO(archive.read(f"{root}data.pkl")))
        self.archive = archive
        self.root = root

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "__torch__":
            return type("Inert", (_Inert,), {})
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if module == "torch.jit._pickle" and name in _LISTS:
            return list
        raise pickle.UnpicklingError(f"GLOBAL {module}.{name}")

    def persistent_load(self, pid: Any) -> Tensor:
        _, dtype, key, _, length = pid
        member = self.archive.getinfo(f"{self.root}data/{key}")
        if member.file_size != length * dtype.itemsize:
            raise ValueError(f"storage {key} has {member.file_size} bytes, not {length} values")
        if not length:
            return torch.empty(0, dtype=dtype)
        return torch.frombuffer(bytearray(self.archive.read(member)), dtype=dtype)

    def _tensor(
        self, storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
    ) -> Tensor:
        if math.prod(size) > storage.numel():  # a stride of 0 would unpack to any size
            raise ValueError(f"a tensor of {size} in a storage of {storage.numel()} values")
        return storage.as_strided(size, stride, offset).clone()  # torch checks the bounds


def _tensors(holder: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    for name, value in getattr(holder, "kept", {}).items():
        if isinstance(value, Tensor):
            yield f"{prefix}{name}", value
        elif isinstance(value, _Inert):
            yield from _tensors(value, f"{prefix}{name}.")
