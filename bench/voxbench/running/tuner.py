"""The trials of a sweep while it runs, and the cells that each study lets run once it is over."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from voxbench.design.spec import Sweep
from voxbench.records.trials import Trials
from voxbench.running.bind import bind_sweep
from voxbench.running.bound import BoundCell
from voxbench.running.jobs import Job, TrialJob
from voxbench.running.studies import Study, studies_of, trials_in
from voxbench.running.task_arm import TaskArm


def bind_all(sweep: Sweep, root: Path, limit: int | None = None) -> "tuple[list[BoundCell], Tuner]":
    """The cells of a sweep, with those of studies that are over, and the studies.

    Args:
        sweep: the validated sweep.
        root: output folder, which holds the trials that are over.
        limit: at most so many steps and test cases a cell.

    Raises:
        SpecError, PluginError, DataError: as of `bind`.
        RecordError: a trial can't be read.
    """
    arms, cells = bind_sweep(sweep, limit)
    tuner = Tuner(sweep, arms, root, limit)
    return [*cells, *tuner.cells()], tuner


class Tuner:
    """The studies of a sweep and how far they are in an output folder.

    Attributes:
        studies: of the sweep; none without `[tuning]`.
        over: keys of those whose cells are known.
    """

    def __init__(
        self, sweep: Sweep, arms: Sequence[TaskArm], root: Path, limit: int | None = None
    ) -> None:
        self.root = root
        self.studies = studies_of(sweep, sweep.tuning, arms, limit) if sweep.tuning else []
        self.trials = trials_in(root) if self.studies else {}
        self.over = {study.key for study in self.studies if self._cells(study)}

    def cells(self) -> list[BoundCell]:
        """Those of all studies that are over."""
        return [cell for study in self.studies for cell in self._cells(study)]

    def jobs(self) -> list[TrialJob]:
        """The trials that are missing: one of every study, then the next of every one.

        So all arms have had the same budget whenever a sweep is stopped, and trials of one study
        run one after the other as far as there are others to run.
        """
        found = [(job.number, job) for study in self.studies for job in self._missing(study)]
        return [job for _, job in sorted(found, key=lambda pair: pair[0])]

    def _missing(self, study: Study) -> Iterator[TrialJob]:
        over = {trial.number for trial in self.trials.get(study.key, ())}
        for number in range(study.tuning.trials):
            if number not in over:
                yield TrialJob(study.key, number, study.tuning, study.trial)

    def after(self, job: Job) -> list[BoundCell]:
        """The cells that may run now that a job is over: of the study whose last trial it was."""
        if not isinstance(job, TrialJob) or job.study in self.over:
            return []
        [study] = [one for one in self.studies if one.key == job.study]
        self.trials = {**self.trials, study.key: Trials(self.root).of(study.key)}
        if cells := self._cells(study):
            self.over.add(study.key)
        return cells

    def _cells(self, study: Study) -> list[BoundCell]:
        return study.cells(self.trials.get(study.key, ()))
