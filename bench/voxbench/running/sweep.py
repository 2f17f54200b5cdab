"""A sweep from its plan to its records: only what is missing runs."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path

from voxbench import stopping
from voxbench.design.spec import Sweep
from voxbench.errors import SpecError, StorageError
from voxbench.records import Store
from voxbench.records.glance import verdict_digest
from voxbench.records.kept import weights_path
from voxbench.records.predictions import missing_predictions
from voxbench.records.sweeps import remember
from voxbench.records.tidy import tidy
from voxbench.running.active import ActivePlan
from voxbench.running.engines import JobRetry, JobStart
from voxbench.running.external_plan import external_after, external_jobs, plan_external
from voxbench.running.jobs import CellJob, Job, JobOutcome, TrialJob, jobs_for
from voxbench.running.options import DEFAULTS, Options, Run
from voxbench.running.plan import Planned, plan_cells
from voxbench.running.queue import JobFound, Queue
from voxbench.running.time_left import fits
from voxbench.running.tuner import bind_all
from voxbench.running.uncertainty import UncertaintyPlan
from voxbench.running.watch import SILENT, Watch


def run_sweep(
    sweep: Sweep, root: Path, options: Options = DEFAULTS, watch: Watch = SILENT
) -> list[Planned]:
    """Run the cells that have no record yet, and give the plan as it is afterwards.

    A sweep may be stopped at any moment, `kill -9` included, and run again: finished cells are
    found by their key, a cell that was training goes on from its checkpoint. A cell that is done is
    scored on the external test sets of its task, each with a record of its own. Any number of
    processes on any machines may run it in one folder: each job is claimed by one.

    Raises:
        SpecError, PluginError, DataError: before anything runs.
        Stopped: the process was asked to, or the time is over, before all was done.
    """
    with stopping.at_once():  # nothing is claimed yet
        cells, tuner = bind_all(sweep, root, options.limit)
        planned = plan_cells(cells, root)
        refresh_contamination(planned, root)
        external = plan_external(planned, root)
        uncertainty = UncertaintyPlan.of(sweep, cells, root)
        untrained = {one.cell.key for one in external if one.untrained}
        active = ActivePlan.of(sweep, cells, root)
        untrained |= uncertainty.untrained | active.untrained
        todo: list[Job] = [
            *_todo(planned, root, options, tuner.jobs(), untrained),
            *external_jobs(external, retry_failed=options.retry_failed),
            *uncertainty.ready(),
            *active.ready(),
        ]
    watch.planned(planned, todo)
    tidy(root, {job.id for job in todo})
    if not todo:
        return planned
    with suppress(SpecError):  # one of Python's objects is known to who has them
        remember(sweep, root)
    fitting = None if options.until is None else fits(planned, options.until)
    queue = Queue(root, todo, stay=options.stay, fits=fitting)
    for job in execute(queue, Run(sweep, root, options), watch):
        if tuned := tuner.after(job):
            cells += tuned
            uncertainty = UncertaintyPlan.of(sweep, cells, root)
            active = ActivePlan.of(sweep, cells, root)
            jobs = _todo(plan_cells(tuned, root), root, options)
            more = [job for job in jobs if isinstance(job, CellJob)]
            queue.add(more)
            watch.added(more)
        then: list[Job] = [
            *external_after(job, root), *uncertainty.after(job), *active.after(job),
        ]  # fmt: skip
        if then:
            queue.add(then)
            watch.added(then)
    tidy(root)
    return plan_cells(cells, root)


def _todo(
    planned: Sequence[Planned],
    root: Path,
    options: Options,
    trials: Sequence[TrialJob] = (),
    untrained: Collection[str] = (),
) -> list[Job]:
    """What is to run of a plan, behind the trials that are; `untrained` are to be trained again."""
    again = {*untrained}
    again |= _unpredicted(planned, root) if options.predictions else set()
    again |= _unkept(planned, root) if options.weights else set()
    if options.retry_failed:
        again |= {one.key for one in planned if one.state == "failed"}
    wanted = (one for one in planned if one.state == "missing" or one.key in again)
    expected = {one.key: one.seconds for one in planned if one.seconds is not None}
    return jobs_for((one.cell for one in wanted), trials, again, expected)


def refresh_contamination(planned: Sequence[Planned], root: Path) -> None:
    """Bring the verdicts of finished cells to what the ledger says today; it enters no key."""
    store, digest = Store(root), cache(lambda own: verdict_digest(own.contamination))
    for one in planned:
        own = one.cell.trainings
        if one.state != "cached" or one.verdict == digest(own):
            continue
        record = store.read(one.key)
        if record and record.contamination != own.contamination:
            record.contamination = own.contamination
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
        and one.cell.trainings.cell.is_trained
        and not weights_path(root, one.key).exists()
    }


def execute(queue: Queue, run: Run, watch: Watch) -> Iterator[Job]:
    """Hand the jobs to the engine and tell who watches; gives each job that is over.

    Whoever takes them may add jobs to the queue meanwhile.

    Raises:
        SpecError: the engine can't run this sweep.
        StorageError: the disk is full, or may not be written to; all that is stored stays.
        Stopped: jobs are left that this process was stopped in, or had no time for.
    """
    with closing(queue), closing(run.engine.work(queue, run, watch.heard)) as events:
        for event in events:
            match event:
                case JobStart(job):
                    watch.started(job)
                case JobRetry():
                    watch.retried(event)
                case JobFound(job):
                    watch.found(job)
                    yield job
                case JobOutcome(failure=failure, kind="storage"):
                    raise StorageError(f"{failure} Nothing is lost: run it again to go on.")
                case JobOutcome(job):
                    watch.finished(event)
                    yield job
    if queue.waiting and (queue.unfit or stopping.asked()):
        raise stopping.Stopped
