"""A Python process of its own, at the other end of a pipe.

It is started bare rather than through `multiprocessing`, so that it is tied to its parent from its
first moment, imports nobody's main module, and lives on when a plugin forks.
"""

import ctypes
import dataclasses
import io
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from voxbench import plugins, stopping
from voxbench.api import Baseline
from voxbench.progress import News, Stage

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h
_BIRTH = f"""
import ctypes, os, sys
from importlib import import_module
ctypes.CDLL(None).prctl({_SET_PARENT_DEATH_SIGNAL}, {signal.SIGKILL:d})
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
from multiprocessing.connection import Connection
pipe = Connection(int(sys.argv[2]))
sys.path[:] = pipe.recv()
getattr(import_module(sys.argv[3]), sys.argv[4])(pipe)
"""
_NEWS_S = 1.0  # between two stages that are told


class Child:
    """A running process, as its parent sees it; it ends when its parent does.

    Attributes:
        pipe: to it.
        end: a descriptor that can be read once it has ended.

    Args:
        module: that has the function.
        function: what it does, with its end of the pipe.
        environment: its variables.
    """

    def __init__(self, module: str, function: str, environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        told = [str(os.getpid()), str(theirs.fileno()), module, function]
        words = [sys.executable, "-c", _BIRTH, *told]
        interrupt = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # ours to answer
        try:
            self.process = subprocess.Popen(  # noqa: S603
                words, env=environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, interrupt)
            theirs.close()
        self.end = os.pidfd_open(self.process.pid)
        self.pipe = Connection(ours.detach())
        self.pipe.send(sys.path)

    @property
    def ended(self) -> str | None:
        """How it ended, as `signal 9` or `exit code 1`; None while it runs."""
        code = self.process.poll()
        if code is None:
            return None
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Let go of what ties this process to it."""
        self.pipe.close()
        os.close(self.end)


def born(pipe: Connection) -> None:
    """What a child does first: keep its pipe from what it starts itself, and tie that to it."""
    os.set_inheritable(pipe.fileno(), False)
    os.register_at_fork(after_in_child=_die_with_parent)


class Reporter:
    """Sends news on, of stages one a second."""

    def __init__(self, send: Callable[[News], None]) -> None:
        self.send = send
        self.last = 0.0

    def __call__(self, news: News) -> None:
        """Send it, unless a stage was told within the last second."""
        now = time.monotonic()
        if isinstance(news, Stage):
            if now - self.last < _NEWS_S:
                return
            self.last = now
        self.send(news)


def how_died(ended: str) -> str:
    """The end of a process in words, with what may have caused it."""
    return f"died with {ended}{' (out of memory?)' if ended == 'signal 9' else ''}"


def pickled(value: object) -> bytes:
    """A value for another process, which finds the plugins of loose files by their names.

    Raises:
        Exception: a plugin's field can't be sent to another process.
    """
    buffer = io.BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(value)
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


def _die_with_parent() -> None:
    """Let the kernel end this process with its parent, as a forked one is not by itself."""
    stopping.forget_signals()
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
