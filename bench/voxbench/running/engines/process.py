"""A worker's process, from both ends of its pipe.

It is started bare rather than through `multiprocessing`, so that it is tied to its parent from its
first moment, imports nobody's main module, and lives on when a plugin forks.
"""

import ctypes
import dataclasses
import io
import math
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from voxbench import plugins
from voxbench.api import Baseline
from voxbench.progress import News, Stage, heard_by
from voxbench.records import Record
from voxbench.running.faults import Kind
from voxbench.running.jobs import Job, perform
from voxbench.running.worker import Worker

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h
_BIRTH = f"""
import ctypes, os, sys
ctypes.CDLL(None).prctl({_SET_PARENT_DEATH_SIGNAL}, {signal.SIGKILL:d})
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
from multiprocessing.connection import Connection
pipe = Connection(int(sys.argv[2]))
sys.path[:] = pipe.recv()
from voxbench.running.engines.process import serve
serve(pipe)
"""
_NEWS_S = 1.0  # between two stages that are told


class Answer(NamedTuple):
    """What a process makes of its job; see `JobOutcome`."""

    record: Record | None
    failure: str | None
    kind: Kind


class WorkerProcess:
    """A running worker, as its parent sees it; it ends when its parent does, whatever it is doing.

    Attributes:
        worker: what it works with.
        job: that it has; None while it waits.
        since: when it began with that; imports of a new process come first.
        heard: when it was last heard of.
    """

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.job: Job | None = None
        self.since, self.heard = math.inf, 0.0
        ours, theirs = socket.socketpair()
        words = [sys.executable, "-c", _BIRTH, str(os.getpid()), str(theirs.fileno())]
        interrupt = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # ours to answer
        try:
            self.process = subprocess.Popen(  # noqa: S603
                words, env=worker.environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, interrupt)
            theirs.close()
        self.end = os.pidfd_open(self.process.pid)
        self.pipe = Connection(ours.detach())
        self.pipe.send(sys.path)
        self.pipe.send(worker.alone())

    def give(self, job: Job) -> None:
        """Let it do a job; one that has died since is found out when it is asked."""
        written = _pickled(job)
        self.job = job
        self.since, self.heard = math.inf, time.monotonic()
        with suppress(OSError):
            self.pipe.send_bytes(written)

    def received(self) -> Iterator[News | Answer]:
        """What it has said since it was last asked."""
        try:
            while self.pipe.poll():
                said: News | Answer = self.pipe.recv()
                self.heard = time.monotonic()
                self.since = min(self.since, self.heard)
                yield said
        except (EOFError, OSError):  # it has ended
            return

    @property
    def ended(self) -> str | None:
        """How it ended, as `signal 9` or `exit code 1`; None while it runs."""
        code = self.process.poll()
        if code is None:
            return None
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End it at once: all that it has to lose is its job."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Let go of what ties this process to it."""
        self.pipe.close()
        os.close(self.end)


def serve(pipe: Connection) -> None:
    """A worker's life: job after job, until its parent closes the pipe."""
    os.set_inheritable(pipe.fileno(), False)
    os.register_at_fork(after_in_child=_die_with_parent)
    worker: Worker = pipe.recv()
    for folder in worker.include:
        plugins.include(folder)
    import voxbench.pretrain.engine
    import voxbench.running.cell  # noqa: F401 (what takes seconds, before the first job begins)

    try:
        while True:
            job = pipe.recv()
            pipe.send(Stage("beginning", 0, 1))
            with heard_by(_Reporter(pipe)):
                outcome = perform(job, worker)
            pipe.send(Answer(outcome.record, outcome.failure, outcome.kind))
    except (EOFError, OSError):
        return


def _pickled(job: Job) -> bytes:
    """A job for another process, which finds the plugins of loose files by their names.

    Raises:
        Exception: a plugin's field can't be sent to another process.
    """
    buffer = io.BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(job)
    return buffer.getvalue()


class _Pickler(pickle.Pickler):
    def __init__(self, *to: Any) -> None:
        super().__init__(*to)
        self.loose = {plugin.target: name for name, plugin in plugins.BASELINES.loose.items()}

    def reducer_override(self, value: Any) -> Any:
        if type(value) not in self.loose:
            return NotImplemented
        given = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
        return _found, (self.loose[type(value)], given)


def _found(name: str, fields: dict[str, Any]) -> Baseline:
    return plugins.BASELINES.find(name)(**fields)


class _Reporter:
    """Sends news on, of stages one a second."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.last = 0.0

    def __call__(self, news: News) -> None:
        now = time.monotonic()
        if isinstance(news, Stage):
            if now - self.last < _NEWS_S:
                return
            self.last = now
        self.pipe.send(news)


def _die_with_parent() -> None:
    """Let the kernel end this process with its parent, as a forked one is not by itself."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
