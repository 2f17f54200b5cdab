"""Whose a piece of work is: any number of processes, on any machines, share an output folder.

Before work a cell, a pre-training or a trial is claimed in `claims/` of the folder that its
result goes to, by a lock that is safe on network file systems (see `voxbench.locks`). Who claims a
key looks again whether its result is there. A claim whose process is gone is taken over: at once on
the same machine, elsewhere after `locks.STALE_S` without a sign of life.
"""

from collections.abc import Iterator
from pathlib import Path

from voxbench import locks
from voxbench.locks import Holder, Lock
from voxbench.records.store import SHARD


def take(root: Path, key: str) -> Lock | None:
    """Claim a piece of work until it is released; None if it is another's.

    Args:
        root: the folder that its result goes to.
        key: what it is.

    Raises:
        OSError: the folder can't be written.
    """
    return locks.take(_path(root, key))


def is_worked_on(root: Path, key: str) -> bool:
    """Whether a process that is seen to live has claimed it; at first it may only not be seen."""
    holder = locks.holder_of(_path(root, key))
    return holder is not None and locks.is_alive(holder)


def claimed(root: Path) -> Iterator[tuple[str, Holder]]:
    """The keys that are claimed in a folder, and by whom; some may be gone."""
    for path in sorted((root / "claims").glob("*/*")):
        if "." not in path.name and (holder := locks.holder_of(path)):
            yield path.name, holder


def release_left(root: Path) -> None:
    """Give back the claims of processes of this machine that are gone."""
    for key, _ in claimed(root):
        if claim := take(root, key):
            claim.release()


def _path(root: Path, key: str) -> Path:
    return root / "claims" / key[:SHARD] / key
