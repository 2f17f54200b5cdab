"""Starts the processes that train one network together, and ends them together."""

import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

import torch

from voxbench import plugins, stopping
from voxbench.child import Child, Reporter, born, how_died, pickled
from voxbench.errors import SpecError, in_words
from voxbench.fit.ranks import Ranks
from voxbench.progress import heard_by, tell

Result = TypeVar("Result")
Task = Callable[[Ranks, str], Result]
"""What each rank does, on its device ("cpu" or "cuda:N")."""

_LOOK_S = 0.5  # whether this process is to stop
_GRACE_S = 2.0  # for the rank that failed first: the others fail as it leaves

_lent: list[Sequence[str]] = []


class _Answer(NamedTuple):
    """What a rank made of its task: a result, or an error."""

    result: Any = None
    error: BaseException | None = None


@contextmanager
def lent(cards: Sequence[str]) -> Iterator[None]:
    """Let trainings use other cards than this process sees, by their names to the driver."""
    _lent.append(cards)
    try:
        yield
    finally:
        _lent.pop()


def visible_cards() -> list[str]:
    """The GPUs that this process may use, by their names to the driver."""
    if _lent and _lent[-1]:
        return list(_lent[-1])
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    return given.split(",") if given else [str(i) for i in range(torch.cuda.device_count())]


def together(task: Task[Result], count: int, device: str, threads: int) -> Result:
    """Do a task in so many processes that train together.

    Args:
        task: can be sent to another process.
        count: of the processes; each has a GPU, or its share of the threads.
        device: "cpu" or "cuda:N", of this process.
        threads: of the processor, for all of them.

    Returns:
        What the first made; it can be sent too.

    Raises:
        SpecError: there are fewer GPUs.
        ChildProcessError: a rank died.
        Exception: what a rank raised. Either ends the others.
        Stopped: this process is asked to stop; what the training stored is continued.
    """
    gpu = device.startswith("cuda")
    cards = visible_cards() if gpu else []
    if gpu and len(cards) < count:
        raise SpecError(
            f"devices: {count}, but there are {len(cards)} GPUs for this training; set a smaller "
            "number, which changes no result."
        )
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(max(1, threads // count)),
        "TORCH_CPP_LOG_LEVEL": "ERROR",  # of advice about unused parameters
        **({"CUDA_VISIBLE_DEVICES": ",".join(cards[:count])} if gpu else {}),
        **({} if gpu else {"GLOO_SOCKET_IFNAME": "lo"}),
    }
    written = pickled(task)
    with TemporaryDirectory(prefix="voxbench-") as folder:
        ranks = [Ranks(rank, count, Path(folder) / "meeting") for rank in range(count)]
        children = [Child(__name__, serve.__name__, environment) for _ in ranks]
        try:
            for child, own in zip(children, ranks, strict=True):
                where = f"cuda:{own.rank}" if gpu else device
                child.pipe.send((plugins.included(), own, where))
                child.pipe.send_bytes(written)
            with stopping.deferred():
                result: Result = _first_result(children)
            return result
        finally:
            for child in children:
                child.kill()
                child.close()


def _first_result(children: Sequence[Child]) -> Any:
    """Wait for all ranks, tell what the first one tells, and give its result.

    Where this process is asked to stop, so is the first, which stores where the training is.
    """
    working, result, asked = dict(enumerate(children)), None, False
    while working:
        wait([*(c.pipe for c in working.values()), *(c.end for c in working.values())], _LOOK_S)
        if stopping.asked() and not asked:
            children[0].process.send_signal(stopping.SIGNALS[0])
            asked = True
        for rank, child in list(working.items()):
            ended = child.ended  # before its last words are read
            for said in _received(child):
                if not isinstance(said, _Answer):
                    tell(said)
                    continue
                if said.error:
                    raise _cause(said.error, [c for c in working.values() if c is not child])
                result = said.result if rank == 0 else result
                working.pop(rank)
            if ended and rank in working:
                raise ChildProcessError(f"rank {rank} of {len(children)} {how_died(ended)}.")
    return result


def _received(child: Child) -> Iterator[Any]:
    try:
        while child.pipe.poll():
            yield child.pipe.recv()
    except (EOFError, OSError):
        return


def _cause(error: BaseException, others: Sequence[Child]) -> BaseException:
    """Of the errors of all ranks, the one that can be told in words: the others follow from it."""
    errors = [error]
    for child in others:
        if in_words(errors[-1]) is None and child.pipe.poll(_GRACE_S):
            errors += [s.error for s in _received(child) if isinstance(s, _Answer) and s.error]
    return next((one for one in errors if in_words(one)), error)


def serve(pipe: Connection) -> None:
    """A rank's life: one task."""
    born(pipe)
    folders, ranks, device = pipe.recv()
    for folder in folders:
        plugins.include(folder)
    reporter = Reporter(pipe.send)
    try:
        task: Task[Any] = pipe.recv()
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        with (
            stopping.on_signals(),
            stopping.at_once(),
            heard_by(reporter if ranks.first else lambda _news: None),
        ):
            result = task(ranks, device)
        answer = _Answer(result if ranks.first else None)
    except BaseException as error:  # noqa: BLE001 (told by the parent)
        answer = _Answer(error=_sendable(error))
    pipe.send_bytes(pickled(answer))


def _sendable(error: BaseException) -> BaseException:
    """The error with where it was raised; its words alone where it can't be sent."""
    told = "".join(traceback.format_exception(error, limit=-8))
    try:
        pickled(error)
    except Exception:  # noqa: BLE001 (an error's fields may be anything)
        return RuntimeError(told)
    error.add_note(told)
    return error
