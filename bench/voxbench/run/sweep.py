"""A sweep from its plan to its records: only what is missing runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from voxbench.design.spec import Sweep
from voxbench.records import Store
from voxbench.records.environment import cpus
from voxbench.records.predictions import missing_predictions
from voxbench.run.contamination import contamination
from voxbench.run.engines import inline, pool
from voxbench.run.grid import arrange
from voxbench.run.jobs import Job, Outcome, Place, jobs
from voxbench.run.plan import Planned, plan


@dataclass(frozen=True)
class Options:
    """How a sweep is run.

    Attributes:
        jobs: worker processes; 1 runs in this process; None takes one a GPU, else one a core.
        limit: at most so many steps and test cases a cell; marks every record smoke.
        retry_failed: run failed cells again.
        include: folders of loose plugins, for the workers.
        trust: weights files that may run code while they are read.
        predictions: keep the label maps of the test cases; a finished cell without them runs again.
    """

    jobs: int | None = None
    limit: int | None = None
    retry_failed: bool = False
    include: Sequence[Path] = ()
    trust: Sequence[Path] = ()
    predictions: bool = False


class Watch(Protocol):
    """Who is told of the progress."""

    def planned(self, cells: Sequence[Planned], todo: Sequence[Job]) -> None:
        """What there is and what will run."""

    def started(self, job: Job) -> None:
        """A job has begun."""

    def finished(self, outcome: Outcome) -> None:
        """A job has ended; its record is stored."""


def run_sweep(sweep: Sweep, root: Path, options: Options, watch: Watch) -> list[Planned]:
    """Run the cells that have no record yet, and give the plan as it is afterwards.

    A sweep may be stopped at any moment, `kill -9` included, and run again: finished cells are
    found by their key, a cell that was training goes on from its checkpoint.

    Raises:
        SpecError, PluginError, DataError: before anything runs.
    """
    arranged = arrange(sweep, options.limit)
    store = Store(root)
    planned = plan(arranged, store)
    complete(planned, store)
    wanted = {"missing", "failed"} if options.retry_failed else {"missing"}
    again = _unpredicted(planned, store) if options.predictions else set()
    todo = jobs([cell for cell in planned if cell.state in wanted or cell.key in again])
    watch.planned(planned, todo)
    if not todo:
        return planned
    execute(todo, root, sweep.name, options, watch)
    return plan(arranged, store)


def complete(planned: Sequence[Planned], store: Store) -> None:
    """Bring the verdicts of finished cells to what the ledger says today; it enters no key."""
    cells = {cell.key: cell.arranged.cell for cell in planned if cell.state == "cached"}
    for record in store:
        if record.key in cells:
            told = contamination(cells[record.key])
            if record.contamination != told:
                record.contamination = told
                store.write(record)


def _unpredicted(planned: Sequence[Planned], store: Store) -> set[str]:
    """The finished cells whose label maps were not kept."""
    cached = {cell.key for cell in planned if cell.state == "cached"}
    return {
        record.key
        for record in store
        if record.key in cached and missing_predictions(store.root, record)
    }


def execute(
    todo: Sequence[Job],
    root: Path,
    name: str,
    options: Options,
    watch: Watch,
    more: Callable[[], Sequence[Job]] = list,
) -> None:
    """Hand the jobs of a sweep to the engine, and what `more` gives once they are done."""
    workers = devices(options.jobs)
    threads = max(1, cpus() // len(workers))
    place = Place(root, workers[0], threads, name, tuple(options.trust), options.predictions)
    if len(workers) == 1:
        inline.run(todo, place, watch.started, watch.finished, more)
    else:
        pool.run(todo, place, workers, options.include, watch.started, watch.finished, more)


def devices(count: int | None) -> list[str]:
    """One entry a worker: the GPUs in turn, or the processor."""
    import torch

    gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    if gpus:
        return [gpus[i % len(gpus)] for i in range(count or len(gpus))]
    return ["cpu"] * (count or cpus())
