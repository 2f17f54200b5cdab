"""One process at a time, on any file system: a file that only one can create, and keeps touching.

There is no `flock`, which network file systems lack or get wrong, and no clock is compared with
another one: who finds a lock taken watches, by its own clock, whether its holder still touches it.

A lock whose holder is gone is never deleted by another, which could hit the next one's: it is
taken over by whoever creates the file that is named after that holder, `<name>.<token>`. So the
files form a chain from `<name>`, whose last holds the lock; deleting the first frees it.
"""

import json
import os
import platform
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from voxbench.errors import DataError
from voxbench.files import machine

BEAT_S = 20.0
"""Between two touches of a lock that is held."""
STALE_S = 300.0
"""A lock that was watched for so long, and not touched, is of a process that is gone."""

_LOOK_S = 0.25
_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")  # what schedulers call theirs


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, or held it.

    Attributes:
        file: that says so.
        token: of this one holding, like no other.
        touched: when it last said so, by whatever clock.
        host: name of its machine.
        machine: what tells that from others, see `files.machine`.
        pid: of its process there.
        job: of the scheduler that runs it; empty outside one.
    """

    file: Path
    token: str
    touched: int
    host: str = ""
    machine: str = ""
    pid: int = 0
    job: str = ""


class Lock:
    """A lock that this process holds, touched until it is released."""

    def __init__(self, path: Path, holder: Holder) -> None:
        self.path = path
        self.holder = holder

    @property
    def held(self) -> bool:
        """Whether it still is ours: a process that was silent for too long has lost it."""
        chain = _chain(self.path)
        return bool(chain) and chain[-1].token == self.holder.token

    def touch(self) -> None:
        """Say that its holder lives."""
        with suppress(OSError):  # the next one may succeed
            os.utime(self.holder.file)

    def release(self) -> None:
        """Give it back, unless it is lost."""
        _PULSE.leave(self)
        chain = _chain(self.path)
        if chain and chain[-1].token == self.holder.token:
            for holder in chain:  # the first frees it
                holder.file.unlink(missing_ok=True)


def take(path: Path) -> Lock | None:
    """Take a lock, also of a holder that is gone; None if another process may hold it.

    Raises:
        OSError: the file can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    chain = _chain(path)
    if chain and not _WATCH.is_gone(chain[-1]):
        return None
    holder = _create(_after(path, chain[-1]) if chain else path)
    if holder is None:
        return None
    lock = Lock(path, holder)
    if not lock.held:  # the chain that it was to continue has been deleted
        holder.file.unlink(missing_ok=True)
        return None
    _PULSE.join(lock)
    return lock


def holder_of(path: Path) -> Holder | None:
    """Who holds a lock, or held it until it was gone."""
    chain = _chain(path)
    return chain[-1] if chain else None


def is_alive(holder: Holder) -> bool:
    """Whether a holder is seen to live: on this machine, or by its touches while it is watched."""
    return _WATCH.is_alive(holder)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait for a folder's lock and hold it.

    Raises:
        DataError: the folder can't be written.
    """
    try:
        while (lock := take(folder / "claim")) is None:
            time.sleep(_LOOK_S)
    except OSError as error:
        raise DataError(
            f"{folder}: can't be written ({error.strerror}); set VOXBENCH_CACHE to one that can."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _chain(path: Path) -> list[Holder]:
    """From the first holder to the last."""
    found: list[Holder] = []
    file = path
    while holder := _read(file):
        found.append(holder)
        file = _after(path, holder)
    return found


def _after(path: Path, holder: Holder) -> Path:
    """Who takes the lock over from a holder."""
    return path.with_name(f"{path.name}.{holder.token}")


def _read(file: Path) -> Holder | None:
    """The holder that a file tells; None if there is none.

    Of one that ended before it had written anything the file's number is the token.
    """
    try:
        with file.open("rb") as opened:  # which asks the server, a look at the name may not
            status = os.fstat(opened.fileno())
            told = opened.read()
    except FileNotFoundError:
        return None
    touched = status.st_mtime_ns
    try:
        return Holder(file=file, touched=touched, **json.loads(told))
    except (ValueError, TypeError):
        return Holder(file, f"{status.st_ino:x}", touched)


def _create(file: Path) -> Holder | None:
    """Write this process into a file that is not there yet; None if it is."""
    job = next((f"{name}={os.environ[name]}" for name in _JOBS if name in os.environ), "")
    told = {
        "token": uuid.uuid4().hex,
        "host": platform.node(),
        "machine": machine(),
        "pid": os.getpid(),
        "job": job,
    }
    try:
        opened = file.open("xb")
    except FileExistsError:
        return None
    try:
        with opened:
            opened.write(json.dumps(told).encode())
    except OSError:
        file.unlink(missing_ok=True)
        raise
    return _read(file)


@dataclass(frozen=True)
class _Seen:
    token: str
    touched: int
    at: float
    silent_s: float = 0.0
    lives: bool = False


class _Watch:
    """What this process has seen of others' locks."""

    def __init__(self) -> None:
        self.seen: dict[Path, _Seen] = {}

    def is_gone(self, holder: Holder) -> bool:
        if holder.machine == machine() and not _runs(holder.pid):
            return True
        return self._look(holder).silent_s > STALE_S

    def is_alive(self, holder: Holder) -> bool:
        return self._look(holder).lives or (holder.machine == machine() and _runs(holder.pid))

    def _look(self, holder: Holder) -> _Seen:
        """Compare a holder with what was seen of it.

        Time counts between looks that are close to one another: what stops both of them, as a
        machine that sleeps, says nothing of the holder.
        """
        now, before = time.monotonic(), self.seen.get(holder.file)
        if before is None or before.token != holder.token:
            seen = _Seen(holder.token, holder.touched, now)
        elif before.touched != holder.touched:
            seen = _Seen(holder.token, holder.touched, now, lives=True)
        else:
            silent = before.silent_s + min(now - before.at, BEAT_S)
            lives = before.lives and silent < 3 * BEAT_S
            seen = _Seen(holder.token, holder.touched, now, silent, lives)
        self.seen[holder.file] = seen
        return seen


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


class _Pulse:
    """Touches the locks of this process."""

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """Hold nothing: a copy of the process that was forked has no part in its locks."""
        self.held: set[Lock] = set()
        self.guard = threading.Lock()
        self.thread: threading.Thread | None = None

    def join(self, lock: Lock) -> None:
        with self.guard:
            self.held.add(lock)
            if self.thread is None:
                self.thread = threading.Thread(target=self._beat, name="locks", daemon=True)
                self.thread.start()

    def leave(self, lock: Lock) -> None:
        with self.guard:
            self.held.discard(lock)

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT_S)
            with self.guard:
                held = list(self.held)
            for lock in held:
                lock.touch()


_WATCH, _PULSE = _Watch(), _Pulse()
