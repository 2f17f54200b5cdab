"""A sweep that is run until every comparison has a verdict: a race."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from voxbench.analyses.races.declaration import Race, plan_race
from voxbench.analyses.races.progress import RacedComparison, look_at
from voxbench.design.spec import Sweep
from voxbench.errors import SpecError
from voxbench.records import Record, Store
from voxbench.run.grid import arrange
from voxbench.run.jobs import Job, Outcome, jobs
from voxbench.run.plan import Planned, plan
from voxbench.run.sweep import Options, Watch, complete, devices, execute
from voxbench.stats.sequential import FIRST_LOOK
from voxbench.stats.variance import variance_components


def run_race(sweep: Sweep, root: Path, options: Options, watch: Watch) -> list[Planned]:
    """Run the cells in the order of information per cost until all comparisons are settled.

    At first two trainings of everything, one after the other. From then on the undecided
    comparison whose variance another training reduces most for its time; with several workers, as
    many as keep them busy, and the verdicts are looked at when they are all done. Cells that are
    not needed stay missing. What is looked at and what each look may spend of the error is written
    to `races/` before the first cell; everything else follows from the records, so that a race
    may be killed and run again.

    Raises:
        SpecError: there is nothing to race, or another race was declared under this name.
        PluginError, DataError, RecordError: as of `run_sweep`.
    """
    if options.retry_failed:
        raise SpecError(
            "--until-settled takes failed cells as run: use --retry-failed in a run of its own."
        )
    arranged = arrange(sweep, options.limit)
    store = Store(root)
    planned = plan(arranged, store)
    race = declared_race(sweep, planned, options.limit)
    race.declare(root)
    complete(planned, store)
    cells = {cell.key: cell for cell in planned if cell.state != "skipped"}
    records = {record.key: record for record in store if record.key in cells}
    course = _Course(race, cells, records, watch, len(devices(options.jobs)))
    todo = course.more()
    missing = [cell for cell in planned if cell.state == "missing"]
    watch.planned(planned, jobs(missing) if todo else [])
    if not todo:
        return planned
    execute(todo, root, sweep.name, options, course, course.more)
    return plan(arranged, store)


def declared_race(sweep: Sweep, planned: Sequence[Planned], limit: int | None = None) -> Race:
    """The race over all planned cells that can be run.

    Raises:
        SpecError: there is nothing to race.
    """
    cells = {cell.key: cell.arranged.arm for cell in planned if cell.state != "skipped"}
    return plan_race(sweep.name, cells, limit)


@dataclass
class _Course:
    """A race under way: it watches the outcomes and says what runs next.

    Attributes:
        cells: of the sweep, by key, in its order.
        records: that there are.
        watch: who else is told.
        workers: that are to be kept busy.
        weights: ids of the pre-trainings that were asked for.
    """

    race: Race
    cells: dict[str, Planned]
    records: dict[str, Record]
    watch: Watch
    workers: int
    weights: set[str] = field(default_factory=set)

    def planned(self, cells: Sequence[Planned], todo: Sequence[Job]) -> None:
        self.watch.planned(cells, todo)

    def started(self, job: Job) -> None:
        self.watch.started(job)

    def finished(self, outcome: Outcome) -> None:
        if outcome.record:
            self.records[outcome.record.key] = outcome.record
        self.watch.finished(outcome)

    def more(self) -> list[Job]:
        """The next batch; a set of weights is asked for once."""
        batch = dict.fromkeys(self._opening() or self._next())
        found = jobs([self.cells[key] for key in batch])
        found = [job for job in found if not (job.pretraining and job.id in self.weights)]
        self.weights.update(job.id for job in found if job.pretraining)
        return found

    def _opening(self) -> list[str]:
        """One training of everything that is not there yet, and a second of what is compared."""
        first: dict[tuple[str, ...], str] = {}
        for key, cell in self.cells.items():
            arm = cell.arranged.arm
            first.setdefault((arm.task, arm.adaptation, arm.fraction, arm.baseline), key)
        opening = list(first.values())
        for turn in range(FIRST_LOOK):
            for comparison in self.race.comparisons:
                opening += [comparison.runs[turn].twin, comparison.runs[turn].arm]
        return [key for key in opening if key not in self.records]

    def _next(self) -> list[str]:
        """The cells that tell most for their time, as many as there are workers."""
        waiting = [raced for raced in look_at(self.race, self.records) if raced.next]
        chosen: list[str] = []
        while waiting and len(set(chosen)) < self.workers:
            best = max(waiting, key=lambda raced: _gain(raced) / self._seconds(raced, chosen))
            waiting.remove(best)
            chosen += self._missing(best, chosen)
        return chosen

    def _missing(self, raced: RacedComparison, chosen: Sequence[str]) -> list[str]:
        run = raced.next
        both = (run.twin, run.arm) if run else ()
        return [key for key in both if key not in self.records and key not in chosen]

    def _seconds(self, raced: RacedComparison, chosen: Sequence[str]) -> float:
        """What the next training takes: the cells that are not there, at their arms' mean."""
        runs = raced.comparison.runs
        sides = {run.arm: [other.arm for other in runs] for run in runs}
        sides |= {run.twin: [other.twin for other in runs] for run in runs}
        costs = [self._mean(sides[key]) for key in self._missing(raced, chosen)]
        return max(sum(costs), 1e-9)

    def _mean(self, keys: Sequence[str]) -> float:
        known = list(self._known(keys)) or list(self._known(self.records))
        return fmean(known) if known else 1.0

    def _known(self, keys: Iterable[str]) -> Iterator[float]:
        for key in keys:
            record = self.records.get(key)
            if record and record.cost:
                yield record.cost.seconds


def _gain(raced: RacedComparison) -> float:
    """How much of the effect's variance another training takes away; inf where it is unknown."""
    patients, runs = raced.sample.values.shape
    if runs < FIRST_LOOK:
        return math.inf
    parts, draws = variance_components(raced.sample), len(set(raced.sample.draws))
    pairing = raced.next
    later = draws + bool(pairing and pairing.draw not in raced.sample.draws)
    before = parts.of_mean(patients, draws, runs / draws)
    return before - parts.of_mean(patients, later, (runs + 1) / later)
