"""The error tree. Each is a user's mistake or a bad file, told in one line with a way out.

VoxbenchError
├── SpecError      a sweep file, an override or an option is wrong
├── PluginError    a task or baseline is unknown, broken or declared twice
├── DataError      a volume or folder is not what its task says
├── WeightsError   weights can't be read, or too little of them fits
├── FitError       training can't start or diverged
├── RecordError    a stored record can't be read
├── StorageError   a disk is full or may not be written to, in the middle of a run
├── BundleError    a submission can't be packed, read or merged
└── EngineError    a cluster does not answer, or what it was given to run ends with nothing done

What a machine lacks (space, a permission) comes as an OSError and is told in one line too:
`in_words`. Anything else that is raised is a defect of voxbench.
"""

import difflib
import errno
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class VoxbenchError(Exception):
    """Base of every error that the command line prints as one line, without a traceback."""


class SpecError(VoxbenchError):
    """A sweep file, an override or an option is wrong."""


class PluginError(VoxbenchError):
    """A task or baseline is unknown, broken or declared twice."""


class DataError(VoxbenchError):
    """A volume or folder is not what its task says."""


class WeightsError(VoxbenchError):
    """Weights can't be read, or too little of them fits."""


class FitError(VoxbenchError):
    """Training can't start or diverged."""


class RecordError(VoxbenchError):
    """A stored record can't be read."""


class StorageError(VoxbenchError):
    """A disk is full or may not be written to, in the middle of a run."""


class BundleError(VoxbenchError):
    """A submission can't be packed, read or merged."""


class EngineError(VoxbenchError):
    """A cluster does not answer, or what it was given to run ends with nothing done."""


_MACHINE = {
    errno.ENOSPC: "no space is left on its disk; free some, or write to another one",
    errno.EDQUOT: "the quota of its disk is used up; free some space, or write to another one",
    errno.EACCES: "permission denied; choose another folder, or change its permissions",
    errno.EPERM: "the system does not permit that; choose another folder",
    errno.EROFS: "its file system is read-only; choose another folder",
    errno.ENAMETOOLONG: "the name is too long for its file system; choose a shorter one",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n), or use fewer workers",
    errno.ENFILE: "the system has too many files open; use fewer workers",
    errno.ENOTDIR: "a file lies where a folder is needed; choose another name",
    errno.EEXIST: "a file lies where a folder is needed; choose another name",
    errno.EISDIR: "a folder lies where a file is needed; choose another name",
    errno.EIO: "its disk can't be read or written (input/output error)",
}


_MEMORY = re.compile(r"out of memory|can't allocate memory|cannot allocate memory", re.IGNORECASE)
_DEVICE = re.compile(
    r"(CUDA|cuDNN|CUBLAS|NCCL|HIP)\w* (error|failure)|(CUDNN|CUBLAS)_STATUS", re.IGNORECASE
)

_ASSERTION = re.compile("device-side assert", re.IGNORECASE)  # a kernel was called wrongly


def is_machine_fault(error: BaseException) -> bool:
    """Whether an error tells of the machine (memory, a device, a disk, a network), not of the work.

    Work that failed so may succeed when it is done again; its result is unknown, not bad.
    """
    if isinstance(error, MemoryError | OSError):
        return True
    text = str(error) if isinstance(error, RuntimeError) else ""
    if _ASSERTION.search(text):
        return False
    told = type(error).__name__ in {"OutOfMemoryError", "AcceleratorError"}
    return told or bool(_MEMORY.search(text) or _DEVICE.search(text))


def is_of_device(told: str) -> bool:
    """Whether an error's text tells of an accelerator, whose process can't use it any more."""
    return bool(_DEVICE.search(told))


def in_words(error: BaseException) -> str | None:
    """A mistake, or what the machine lacks, with a way out; None for a defect.

    Of a defect the traceback is worth more.
    """
    if isinstance(error, ChildProcessError):
        return str(error)
    if isinstance(error, MemoryError) or (is_machine_fault(error) and _MEMORY.search(str(error))):
        said = f"{type(error).__name__}: {error}".strip(": ").splitlines()[0]
        return (
            f"out of memory ({said}); set recipe.micro_batch (pretraining.micro_batch), which "
            "changes no result, lower recipe.patch or recipe.windows, run fewer workers (-j), or "
            "take a machine with more."
        )
    if isinstance(error, OSError) and error.errno in _MACHINE:
        return f"{error.filename or 'a file'}: {_MACHINE[error.errno]}."
    return str(error) if isinstance(error, VoxbenchError) else None


def bare(error: BaseException) -> str:
    """What went wrong with a file, without the number and the path that Python adds."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def first_rule(error: "ValidationError") -> str:
    """The first rule that a value breaks, as "field: rule"."""
    first = error.errors(include_url=False, include_input=False)[0]
    named = [part for part in map(str, first["loc"]) if "[" not in part]  # no branch of a union
    field, rule = ".".join(named), str(first["msg"])
    rule = rule.removeprefix("Value error, ")
    return f"{field}: {rule}" if field else rule


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that `name` is not a known `kind`, with the nearest match and the list."""
    options = sorted(known)
    near = difflib.get_close_matches(name, options, n=1, cutoff=0.6)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {name!r}.{hint} Known: {', '.join(options) or 'none'}."
