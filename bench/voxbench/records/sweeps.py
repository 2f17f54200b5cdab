"""The sweeps that ran in an output folder, as they were: what `voxbench work DIR` takes up.

They lie in `sweeps/`, one that names a place of this machine in `private/`, which is not for
others. A file that a user puts into `sweeps/` counts too.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from voxbench.design.spec import Sweep
from voxbench.design.sweep_file import read_sweep, written_sweep
from voxbench.errors import SpecError
from voxbench.files import write_atomically
from voxbench.records.places import holds_place

_SHARED, _PRIVATE = "sweeps", "private"


def remember(sweep: Sweep, root: Path) -> Path:
    """Write a sweep, overrides included, into an output folder; gives its file.

    It is named by its content, and not written where an equal one is there.

    Raises:
        SpecError: it has a value that no file can say.
    """
    text = written_sweep(sweep)
    plain = sweep.model_copy(update={"engine": {}})
    for path in _files(root):
        with suppress(SpecError):  # whoever asks for that one is told
            if read_sweep(path).model_copy(update={"engine": {}}) == plain:
                return path
    name = "".join(letter if letter.isalnum() else "-" for letter in sweep.name)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    path = root / (_PRIVATE if holds_place(text) else _SHARED) / f"{name}-{digest}.toml"
    write_atomically(path, text)
    return path


def known_sweeps(root: Path) -> list[Sweep]:
    """All that are known in an output folder, in the order of their names.

    Raises:
        SpecError: there is none, or a file breaks a rule.
    """
    if found := [read_sweep(path) for path in _files(root)]:
        return found
    raise SpecError(
        f"{root}: no sweep is known there; `voxbench run SPEC -o {root}`, or work, adds it."
    )


def names_known(root: Path) -> list[str]:
    """What the files of the sweeps are called that are known in an output folder."""
    return [path.stem for path in _files(root)]


def _files(root: Path) -> Iterator[Path]:
    found = (path for name in (_SHARED, _PRIVATE) for path in (root / name).glob("[!.]*.toml"))
    return iter(sorted(found, key=lambda path: path.name))
