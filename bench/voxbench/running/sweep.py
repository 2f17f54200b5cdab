"""A sweep from its plan to its records: only what is missing runs."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from voxbench.design.cell import DIRECT
from voxbench.design.spec import Sweep
from voxbench.errors import StorageError
from voxbench.records import Store
from voxbench.records.kept import weights_path
from voxbench.records.predictions import missing_predictions
from voxbench.running.bind import BoundCell
from voxbench.running.engines import JobRetry, JobStart
from voxbench.running.jobs import CellJob, JobOutcome, jobs_for
from voxbench.running.options import DEFAULTS, Options, Run
from voxbench.running.plan import Planned, plan_cells
from voxbench.running.queue import Queue
from voxbench.running.tidy import tidy
from voxbench.running.tuner import bind_all
from voxbench.running.watch import SILENT, Watch


def run_sweep(
    sweep: Sweep, root: Path, options: Options = DEFAULTS, watch: Watch = SILENT
) -> list[Planned]:
    """Run the cells that have no record yet, and give the plan as it is afterwards.

    A sweep may be stopped at any moment, `kill -9` included, and run again: finished cells are
    found by their key, a cell that was training goes on from its checkpoint.

    Raises:
        SpecError, PluginError, DataError: before anything runs.
    """
    cells, tuner = bind_all(sweep, root, options.limit)
    planned = plan_cells(cells, root)
    refresh_contamination(planned, root)
    todo = jobs_for(_todo(planned, root, options), tuner.jobs())
    watch.planned(planned, todo)
    tidy(root, {job.id for job in todo})
    if not todo:
        return planned
    queue = Queue(todo)
    for outcome in execute(queue, Run(sweep, root, options), watch):
        if tuned := tuner.after(outcome.job):
            cells += tuned
            more = [*map(CellJob, _todo(plan_cells(tuned, root), root, options))]
            queue.add(more)
            watch.added(more)
    tidy(root)
    return plan_cells(cells, root)


def _todo(planned: Sequence[Planned], root: Path, options: Options) -> list[BoundCell]:
    """The cells of a plan that are to run."""
    wanted = {"missing", "failed"} if options.retry_failed else {"missing"}
    again = _unpredicted(planned, root) if options.predictions else set[str]()
    again |= _unkept(planned, root) if options.weights else set()
    return [one.cell for one in planned if one.state in wanted or one.key in again]


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


def _unkept(planned: Sequence[Planned], root: Path) -> set[str]:
    """The finished cells whose weights were not kept."""
    return {
        one.key
        for one in planned
        if one.state == "cached"
        and one.cell.trainings.cell.adaptation not in DIRECT
        and not weights_path(root, one.key).exists()
    }


def execute(queue: Queue, run: Run, watch: Watch) -> Iterator[JobOutcome]:
    """Hand the jobs to the engine and tell who watches; gives each outcome.

    Whoever takes the outcomes may add jobs to the queue meanwhile.

    Raises:
        SpecError: the engine can't run this sweep.
        StorageError: the disk is full, or may not be written to; all that is stored stays.
    """
    with closing(run.engine.work(queue, run, watch.heard)) as events:
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
