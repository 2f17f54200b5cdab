"""The engine of a Ray cluster: a task a cell, placed by what it needs.

This process holds the claims. Where it ends Ray ends its tasks, and the next run goes on from their
records and checkpoints.
"""

import math
import pickle
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from voxbench import plugins, stopping
from voxbench.child import Reporter, pickled
from voxbench.errors import EngineError
from voxbench.progress import News, Stage, heard_by
from voxbench.running.engines import Engine, Event, Hear, JobStart, conclude, next_job
from voxbench.running.engines.pool import STOP_S
from voxbench.running.engines.process import WorkerAnswer
from voxbench.running.faults import Kind
from voxbench.running.jobs import Job, JobOutcome
from voxbench.running.options import Run
from voxbench.running.perform import failed, perform
from voxbench.running.queue import Queue
from voxbench.running.worker import Worker

_LOOK_S = 0.5


@dataclass(frozen=True)
class Ray(Engine):
    """A Ray cluster: a task a cell, with its share of a GPU; lost nodes' cells run elsewhere.

    Attributes:
        address: of a running cluster, as `head:6379` or `ray://head:10001`; `auto` finds one that
            this machine belongs to, `local` starts one for this run.
        parallel: tasks at a time at most; 0 is what the cluster has room for. `--jobs` comes first.
        gpus: of each task, as 1 or 0.5; as many as `recipe.devices` where that is more than one.
        cpus: of each task.
        resources: that the cluster's nodes were given names for, as `a100=1`.
    """

    address: str = "local"
    parallel: int = 0
    gpus: float = 0.0
    cpus: int = 1
    resources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.parallel < 0 or self.gpus < 0 or self.cpus < 1:
            raise ValueError("parallel and gpus: at least 0, and cpus: at least 1.")
        self._needs()

    @classmethod
    def lacks(cls) -> str | None:
        """Ray is an extra."""
        return None if find_spec("ray") else "it needs ray: pip install 'voxbench[ray]'."

    def work(self, queue: Queue, run: Run, hear: Hear) -> Generator[Event, None, None]:
        """See `Engine`.

        Raises:
            EngineError: there is no such cluster.
        """
        worker = run.worker("cuda:0" if self.gpus else "cpu", self.cpus)
        with _connected(self.address) as ray:
            tasks = _Tasks(ray, self._needs(), worker, hear)
            while not queue.over:
                while len(tasks.running) < self.room(ray, run):
                    job = yield from next_job(queue, worker)
                    if job is None:
                        break
                    yield JobStart(job)
                    if outcome := tasks.start(job):
                        yield from conclude(queue, outcome, worker)
                for outcome in tasks.over():
                    yield from conclude(queue, outcome, worker)
                if stopping.asked():
                    tasks.stop()

    def _needs(self) -> dict[str, float]:
        """What a task takes of its node, by Ray's names of resources.

        Raises:
            ValueError: a resource is not written as name=amount.
        """
        needs = {"CPU": float(self.cpus), "GPU": self.gpus}
        for one in self.resources:
            name, _, amount = one.partition("=")
            try:
                needs[name] = float(amount)
            except ValueError:
                raise ValueError(f"resources: {one!r}: write it as a100=1.") from None
        return {name: amount for name, amount in needs.items() if amount}

    def room(self, ray: Any, run: Run) -> int:
        """For how many tasks at a time there is room in the cluster that `ray` has joined."""
        if limit := run.options.jobs or self.parallel:
            return limit
        there: dict[str, float] = ray.cluster_resources()
        # one, where there is room for none yet: what waits tells the cluster to grow
        return max(1, min(math.floor(there.get(n, 0) / need) for n, need in self._needs().items()))


class _Tasks:
    """Those that Ray has.

    Attributes:
        running: task → its job.
    """

    def __init__(self, ray: Any, needs: dict[str, float], worker: Worker, hear: Hear) -> None:
        from ray.util.queue import Queue as News

        self.ray, self.worker, self.hear = ray, worker, hear
        self.running: dict[Any, Job] = {}
        self.since: dict[str, float] = {}
        self.asked: float | None = None
        self.news = News(actor_options={"num_cpus": 0, "max_restarts": -1})
        own = {name: amount for name, amount in needs.items() if name not in {"CPU", "GPU"}}
        self.remote = ray.remote(perform_there).options(
            num_cpus=needs["CPU"],
            num_gpus=needs.get("GPU", 0),
            resources=own,
            max_retries=0,  # the queue tries again, and tells of it
        )

    def start(self, job: Job) -> JobOutcome | None:
        """Give Ray a job; what became of it if that is impossible."""
        try:
            written = pickled(job)
        except Exception as error:  # noqa: BLE001 (a plugin's field may be anything)
            return failed(job, f"it can't be sent to another process: {error}", self.worker)
        self.running[self.remote.remote(written, self.worker, self.news)] = job
        return None

    def over(self) -> Iterator[JobOutcome]:
        """What became of those that ended since; waits a little for the first."""
        if not self.running:
            time.sleep(_LOOK_S)
            return
        ended, _ = self.ray.wait([*self.running], num_returns=1, timeout=_LOOK_S)
        more, _ = self.ray.wait([*self.running], num_returns=len(self.running), timeout=0)
        self._listen()
        for task in dict.fromkeys([*ended, *more]):
            job = self.running.pop(task)
            self.since.pop(job.id, None)
            yield self._outcome(task, job)
        yield from self._too_long()

    def stop(self) -> None:
        """Ask all to store where they are, and end them if they take too long."""
        now = time.monotonic()
        if self.asked is None:
            self._cancel(force=False)
            self.asked = now
        elif now - self.asked > STOP_S:
            self._cancel(force=True)

    def _cancel(self, *, force: bool) -> None:
        for task in self.running:
            self.ray.cancel(task, force=force)

    def _listen(self) -> None:
        jobs = {job.id: job for job in self.running.values()}
        with suppress(self.ray.exceptions.RayError):  # its node may be lost; it comes back
            for one, said in self.news.get_nowait_batch(self.news.qsize()):
                if job := jobs.get(one):
                    self.since.setdefault(one, time.monotonic())
                    self.hear(job, said)

    def _outcome(self, task: Any, job: Job) -> JobOutcome:
        errors = self.ray.exceptions
        try:
            return JobOutcome(job, *self.ray.get(task))
        except errors.TaskCancelledError:
            return failed(job, "asked to stop", self.worker, "stopped")
        except errors.RayError as error:
            lost = str(error).strip().splitlines()[0]
            kind: Kind = "machine" if self.asked is None else "stopped"
            return failed(job, f"Ray lost its task: {lost}", self.worker, kind)

    def _too_long(self) -> Iterator[JobOutcome]:
        limit, now = self.worker.time_limit_s, time.monotonic()
        if limit is None:
            return
        for task, job in [*self.running.items()]:
            if now - self.since.get(job.id, now) > limit:
                self.ray.cancel(task, force=True)
                del self.running[task]
                self.since.pop(job.id, None)
                reason = f"not done in {limit / 60:g} minutes (--time-limit); its task was ended"
                yield failed(job, reason, self.worker)


def perform_there(written: bytes, worker: Worker, news: Any) -> WorkerAnswer:
    """Do a job in a process of Ray's, whose cancelling asks it to store where it is."""
    for folder in worker.include:
        _include(folder)
    job: Job = pickle.loads(written)  # noqa: S301 (of the process that runs the sweep)

    def tell(said: News) -> None:
        with suppress(Exception):  # progress that nobody hears is no reason to end
            news.put((job.id, said))

    tell(Stage("beginning", 0, 1))
    with stopping.on_signals(), _cancelling_stops(), heard_by(Reporter(tell)):
        outcome = perform(job, worker)
    return WorkerAnswer(outcome.record, outcome.failure, outcome.kind)


@contextmanager
def _cancelling_stops() -> Iterator[None]:
    """Let what Ray does to a cancelled task, an interrupt, ask it to stop as other signals do."""
    before = signal.signal(signal.SIGINT, signal.getsignal(signal.SIGUSR1))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@cache
def _include(folder: Path) -> None:
    plugins.include(folder)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Ray, connected; a connection that is there stays.

    Raises:
        EngineError: there is no such cluster.
    """
    import ray

    if ray.is_initialized():
        yield ray
        return
    local = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **local)
    except Exception as error:  # it raises that very class where a node does not start
        said = str(error).strip().splitlines()[0]
        raise EngineError(f"ray: no cluster at {address!r}: {said} ([engine.ray])") from error
    try:
        yield ray
    finally:
        ray.shutdown()
