"""Torch files from strangers: their tensors are read, nothing foreign is imported or run.

Torch's restricted reader (`weights_only`) decodes the file. What it does not know itself is
sorted by name, before anything is decoded:

- what would only be *constructed* (a class of another package, and a short list from the
  standard library) is replaced by a stand-in that keeps and does nothing;
- what would be *called* (a function, and everything else of the standard library: `posix.system`,
  `builtins.eval`, `subprocess.Popen`) refuses the file, although a stand-in would not run either:
  whoever put it there is not to be trusted with the rest;
- what lies in torch and is no class is left to torch's own list.
"""

import pickle
import pickletools
import re
import sys
import warnings
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import torch

from voxbench.errors import WeightsError
from voxbench.model.torchscript import is_torchscript, read_torchscript

WAY_OUT = "save its state_dict alone, or as safetensors."
OLD_FORMAT = 5  # pickles at the head of a file from before torch 1.6

_HARMLESS = re.compile(
    r"argparse\.Namespace|types\.SimpleNamespace|collections\.(OrderedDict|Counter|defaultdict|deque)"
    r"|pathlib\.(Pure)?(Posix|Windows)?Path|datetime\.(date|datetime|time|timedelta|timezone)"
    r"|functools\.partial|decimal\.Decimal|fractions\.Fraction|uuid\.UUID|typing\.[A-Z]\w*|_codecs\.encode"
    r"|copyreg\._reconstructor|builtins\.(bool|bytearray|bytes|complex|dict|float|frozenset|int"
    r"|list|object|range|set|slice|str|tuple)"
    r"|numpy\.(dtype|ndarray|bool_?|(u?int|float|complex)\d+)"
    r"|numpy\.(core|_core)\.(multiarray\.(scalar|_reconstruct)|numeric\._frombuffer)"
)
_CLASS = re.compile(r"_*[A-Z]\w*")
_OWN = ("torch.", "collections.", "builtins.", "_codecs.")  # not worth telling of
# classes that are filled like a dict
_TABLE = re.compile(
    r".*\.(defaultdict|AttributeDict|CfgNode|ConfigDict|EasyDict|Munch|Box|Dict|Config)"
)


class _InertStandIn:
    """Stands in for an object of a published file; keeps and does nothing."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


class _TableStandIn:
    """Stands in for a class that is filled like a dict: it becomes one."""

    def __new__(cls, *_: object) -> "OrderedDict[Any, Any]":  # type: ignore[misc]
        """A plain ordered dict."""
        return OrderedDict()


def read_torch(path: Path, *, trust: bool = False) -> tuple[Mapping[Any, Any], list[str]]:
    """The content of a torch file, and the classes that were stood in for.

    Args:
        path: of a file that `torch.save` wrote, in the new format (zip) or the old one,
            or a TorchScript archive, whose tensors alone are read.
        trust: let it import and run what it wants.

    Raises:
        WeightsError: it would run code, or holds no mapping.
        Exception: whatever broken or hostile bytes raise in torch.
    """
    archive = zipfile.is_zipfile(path)
    if archive and is_torchscript(path):
        return _program(path), []
    if trust:
        return _mapping(path, torch.load(path, map_location="cpu", weights_only=False)), []
    names = sorted(set(_named(path, archive)))
    if foreign := [name for name in names if _would_be_called(name)]:
        raise WeightsError(f"{path}: refused, it would run {', '.join(foreign)}; {WAY_OUT}")
    stood_in = [name for name in names if _is_foreign(name)]
    stands: list[Any] = [
        (_TableStandIn if _TABLE.fullmatch(name) else _InertStandIn, name) for name in stood_in
    ]
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(stands):
            warnings.simplefilter("ignore", UserWarning)  # torch's advice on old pickles
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=archive)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        if not named:
            raise
        raise WeightsError(f"{path}: refused, it would run {named[1]}; {WAY_OUT}") from error
    return _mapping(path, content), [name for name in stood_in if not name.startswith(_OWN)]


def _mapping(path: Path, content: object) -> Mapping[Any, Any]:
    if isinstance(content, torch.jit.ScriptModule) or not isinstance(content, Mapping):
        raise WeightsError(f"{path}: holds a {type(content).__name__}, no tensors; {WAY_OUT}")
    return content


def _program(path: Path) -> Mapping[Any, Any]:
    try:
        return read_torchscript(path)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        if not named:
            raise
        raise WeightsError(f"{path}: refused, it would run {named[1]}; {WAY_OUT}") from error


def _named(path: Path, archive: bool) -> Iterator[str]:
    """What a file asks to import, read off its pickles without decoding them."""
    if archive:
        with zipfile.ZipFile(path) as content:
            for name in content.namelist():
                if name.endswith("data.pkl"):
                    with content.open(name) as file:
                        yield from _globals(file)
        return
    with path.open("rb") as file:
        for _ in range(OLD_FORMAT):
            yield from _globals(file)
            if not (following := file.peek(1)) or following[:1] != b"\x80":
                return  # a bare pickle: torch will say what it lacks


def _globals(file: IO[bytes]) -> Iterator[str]:
    texts: list[str] = []
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name in {"GLOBAL", "INST"}:
            yield _today(*str(argument).split(" ", 1))
        elif opcode.name == "STACK_GLOBAL":  # torch doesn't decode it; for the message
            yield _today(*texts[-2:]) if len(texts) > 1 else "an unnamed object"
        elif isinstance(argument, str):
            texts.append(argument)


def _today(module: str, name: str) -> str:
    """The name as Python 3 spells it."""
    module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    return f"{module}.{name}"


def _is_foreign(name: str) -> bool:
    """Whether torch needs a stand-in; its own names it knows itself."""
    return not name.startswith("torch.") or bool(_CLASS.fullmatch(name.rpartition(".")[2]))


def _would_be_called(name: str) -> bool:
    if _HARMLESS.fullmatch(name):
        return False
    package = name.partition(".")[0]
    if package == "torch":
        return False
    is_class = _CLASS.fullmatch(name.rpartition(".")[2])
    return package in sys.stdlib_module_names or not is_class
