"""A sweep that is run until every comparison has a verdict: a race."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voxbench.analyses.races.declaration import Race, plan_race, trainings_of
from voxbench.analyses.races.progress import raced_comparisons
from voxbench.design.spec import Sweep
from voxbench.errors import SpecError
from voxbench.records import Scored, Store
from voxbench.records.tidy import tidy
from voxbench.running.bind import bind
from voxbench.running.bound import BoundCell
from voxbench.running.jobs import CellJob, Job, PretrainingJob, jobs_for
from voxbench.running.options import DEFAULTS, Options, Run
from voxbench.running.plan import Planned, plan_cells
from voxbench.running.queue import Queue
from voxbench.running.sweep import execute, refresh_contamination
from voxbench.running.watch import SILENT, Watch
from voxbench.stats.sequential import FIRST_INTERIM


def run_race(
    sweep: Sweep, root: Path, options: Options = DEFAULTS, watch: Watch = SILENT
) -> list[Planned]:
    """Run the cells until all comparisons are settled, or given up.

    At first two trainings of everything, one after the other. From then on those that the next
    interim analysis of each comparison needs that is neither settled nor given up. Cells that are
    not needed stay missing. The comparisons and what each test may spend of the error are written
    to `races/` before the first cell; everything else follows from the records, so that a race
    may be killed and run again.

    Raises:
        SpecError: there is nothing to race, another race was declared under this name, or steps are
            an axis.
        PluginError, DataError, RecordError: as of `run_sweep`.
    """
    if options.retry_failed:
        raise SpecError(
            "--until-settled takes failed cells as run: use --retry-failed in a run of its own."
        )
    if any(len(table.axis) > 1 for table in sweep.recipe.tables):
        raise SpecError(
            "--until-settled races arms under one recipe: name one number of recipe.steps, not "
            "several."
        )
    if sweep.folds:
        raise SpecError("--until-settled races trainings on one split: run it without folds.")
    if sweep.tuning:
        raise SpecError("--until-settled races no sweep with [tuning]: run it without.")
    run = Run(sweep, root, options)
    if run.engine.runs_all_missing:
        raise SpecError(
            "--until-settled says which cells come next, and this engine runs whatever is missing: "
            "race on this machine, or with another engine."
        )
    bound = bind(sweep, options.limit)
    planned = plan_cells(bound, root)
    race = declared_race(sweep, planned, options.limit)
    race.declare(root)
    refresh_contamination(planned, root)
    cells = {cell.key: cell for cell in bound if cell.trainings.reason is None}
    records: dict[str, Scored] = {
        record.key: record for record in Store(root).scored() if record.key in cells
    }
    course = _Course(race, cells, Store(root), records)
    queue = Queue(root, course.more())
    missing = [one.cell for one in planned if one.state == "missing"]
    watch.planned(planned, jobs_for(missing) if queue.waiting else [])
    tidy(root, cells)
    if queue.over:
        return planned
    for job in execute(queue, run, watch):
        course.note(job)
        if queue.over:
            queue.add(course.more())
    tidy(root)
    return plan_cells(bound, root)


def declared_race(sweep: Sweep, planned: Sequence[Planned], limit: int | None = None) -> Race:
    """The race over all planned cells that can be run.

    Raises:
        SpecError: there is nothing to race.
    """
    cells = {one.key: one.arm for one in planned if one.state != "skipped"}
    return plan_race(sweep.name, cells, limit)


@dataclass
class _Course:
    """A race under way: it notes the outcomes and says what runs next.

    Attributes:
        cells: of the sweep, by key, in its order.
        store: of the records.
        records: that there are.
        weights: ids of the pre-trainings that were asked for.
    """

    race: Race
    cells: dict[str, BoundCell]
    store: Store
    records: dict[str, Scored]
    weights: set[str] = field(default_factory=set)

    def note(self, job: Job) -> None:
        """Keep the record of a cell that is over."""
        if isinstance(job, CellJob):
            self.records[job.id] = self.store.facts(job.id)

    def more(self) -> list[Job]:
        """The next batch; a set of weights is asked for once."""
        batch = dict.fromkeys(self._opening() or self._next())
        found = jobs_for(self.cells[key] for key in batch)
        asked = self.weights
        self.weights = asked | {job.id for job in found if isinstance(job, PretrainingJob)}
        return [job for job in found if job.id not in asked]

    def _opening(self) -> list[str]:
        """One training of everything that is not there yet, and a second of what is compared."""
        first = {trainings_of(cell.arm): key for key, cell in reversed(self.cells.items())}
        opening = list(dict.fromkeys(first[trainings_of(cell.arm)] for cell in self.cells.values()))
        for turn in range(FIRST_INTERIM):
            for comparison in self.race.comparisons:
                opening += [comparison.runs[turn].twin, comparison.runs[turn].arm]
        return [key for key in opening if key not in self.records]

    def _next(self) -> list[str]:
        """The cells that are missing for the next analysis of every comparison, by training."""
        raced = raced_comparisons(self.race, self.records)
        pending = [(run.seed, run.draw, run) for one in raced for run in one.pending]
        pending.sort(key=lambda one: one[:2])
        both = [key for *_, run in pending for key in (run.twin, run.arm)]
        return [key for key in both if key not in self.records]
