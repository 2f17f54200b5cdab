"""The error tree. Each is a user's mistake or a bad file, told in one line with a way out.

VoxbenchError
├── SpecError      a sweep file, an override or an option is wrong
├── PluginError    a task or baseline is unknown, broken or declared twice
├── DataError      a volume or folder is not what its task says
├── WeightsError   weights can't be read, or too little of them fits
├── FitError       training can't start or diverged
├── RecordError    a stored record can't be read
└── BundleError    a submission can't be packed, read or merged

Anything else that is raised is a defect of voxbench.
"""

import difflib
from collections.abc import Iterable


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


class BundleError(VoxbenchError):
    """A submission can't be packed, read or merged."""


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that `name` is not a known `kind`, with the nearest match and the list."""
    options = sorted(known)
    near = difflib.get_close_matches(name, options, n=1, cutoff=0.6)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {name!r}.{hint} Known: {', '.join(options) or 'none'}."
