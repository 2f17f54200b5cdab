"""A sweep from its plan to its records: only what is missing runs."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from voxbench.cores import available_cores
from voxbench.design.spec import Sweep
from voxbench.errors import StorageError
from voxbench.records import Store
from voxbench.records.predictions import missing_predictions
from voxbench.running.bind import bind
from voxbench.running.engines import Engine, JobRetry, JobStart
from voxbench.running.engines.inline import run_inline
from voxbench.running.engines.pool import run_in_pool
from voxbench.running.jobs import JobOutcome, jobs_for
from voxbench.running.plan import Planned, plan_cells
from voxbench.running.queue import Queue
from voxbench.running.tidy import tidy
from voxbench.running.watch import SILENT, Watch
from voxbench.running.worker import Worker


@dataclass(frozen=True)
class Options:
    """How a sweep is run.

    Attributes:
        jobs: workers; None takes one a GPU, else one a core.
        limit: at most so many steps and test cases a cell; marks every record smoke.
        retry_failed: run failed cells again.
        include: folders of loose plugins, for the workers.
        trust: weights files that may run code while they are read.
        predictions: keep the label maps of the test cases; a finished cell without them runs again.
        isolated: a single worker is a process of its own too, as several always are, so that what
            ends, breaks or blocks its process costs the one cell.
        time_limit_s: after which a job fails, where it has a process of its own.
    """

    jobs: int | None = None
    limit: int | None = None
    retry_failed: bool = False
    include: Sequence[Path] = ()
    trust: Sequence[Path] = ()
    predictions: bool = False
    isolated: bool = False
    time_limit_s: float | None = None


DEFAULTS = Options()


def run_sweep(
    sweep: Sweep, root: Path, options: Options = DEFAULTS, watch: Watch = SILENT
) -> list[Planned]:
    """Run the cells that have no record yet, and give the plan as it is afterwards.

    A sweep may be stopped at any moment, `kill -9` included, and run again: finished cells are
    found by their key, a cell that was training goes on from its checkpoint.

    Raises:
        SpecError, PluginError, DataError: before anything runs.
    """
    cells = bind(sweep, options.limit)
    planned = plan_cells(cells, root)
    refresh_contamination(planned, root)
    workers = workers_of(sweep, root, options)
    wanted = {"missing", "failed"} if options.retry_failed else {"missing"}
    again = _unpredicted(planned, root) if options.predictions else set()
    todo = jobs_for(one.cell for one in planned if one.state in wanted or one.key in again)
    watch.planned(planned, todo)
    tidy(root, {job.id for job in todo})
    if not todo:
        return planned
    for _ in execute(Queue(todo), workers, watch, options):
        pass
    tidy(root)
    return plan_cells(cells, root)


def refresh_contamination(planned: Sequence[Planned], root: Path) -> None:
    """Bring the verdicts of finished cells to what the ledger says today; it enters no key."""
    told = {one.key: one.cell.contamination for one in planned if one.state == "cached"}
    store = Store(root)
    for known in store.scored():
        if known.key in told and known.contamination != told[known.key]:
            record = store.read(known.key)
            if record:
                record.contamination = told[known.key]
                store.write(record)


def _unpredicted(planned: Sequence[Planned], root: Path) -> set[str]:
    """The finished cells whose label maps were not kept."""
    cached = {one.key for one in planned if one.state == "cached"}
    return {
        record.key
        for record in Store(root)
        if record.key in cached and missing_predictions(root, record)
    }


def execute(
    queue: Queue, workers: Sequence[Worker], watch: Watch, options: Options = DEFAULTS
) -> Iterator[JobOutcome]:
    """Hand the jobs to the engine and tell who watches; gives each outcome.

    Whoever takes the outcomes may add jobs to the queue meanwhile.

    Raises:
        StorageError: the disk is full, or may not be written to; all that is stored stays.
    """
    inline = len(workers) == 1 and not options.isolated
    engine: Engine = run_inline if inline else run_in_pool
    with closing(engine(queue, workers, watch.heard)) as events:
        for event in events:
            match event:
                case JobStart(job):
                    watch.started(job)
                case JobRetry():
                    watch.retried(event)
                case JobOutcome(failure=failure, kind="storage"):
                    raise StorageError(f"{failure} Nothing is lost: run it again to go on.")
                case JobOutcome():
                    watch.finished(event)
                    yield event


def workers_of(sweep: Sweep, root: Path, options: Options) -> list[Worker]:
    """One worker a device, each with its share of the threads.

    Raises:
        SpecError: a device can't do the precision of the sweep's recipe.
    """
    from voxbench.fit.precision import check_precision

    devices = _devices(options.jobs)
    check_precision(sweep.recipe, devices[0])
    threads = max(1, available_cores() // len(devices))
    include, trust = tuple(options.include), tuple(options.trust)
    return [
        Worker(
            *(root, sweep.name, device, threads, include, trust),
            *(options.predictions, options.time_limit_s),
        )
        for device in devices
    ]


def _devices(count: int | None) -> list[str]:
    """One entry a worker: the GPUs in turn, or the processor."""
    import torch

    gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if gpus:
        return [gpus[i % len(gpus)] for i in range(count or len(gpus))]
    return ["cpu"] * (count or available_cores())
