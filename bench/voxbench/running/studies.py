"""The studies of a sweep: what is tuned, and the cells that train with what was chosen."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, product
from pathlib import Path

from voxbench.data.folds import fold_count
from voxbench.data.fraction import scaled
from voxbench.design.cell import DIRECT, Adaptation, digest
from voxbench.design.fraction import Fraction
from voxbench.design.spec import Sweep
from voxbench.design.tuning import ADAPTATION, Tuned, Tuning, adapted
from voxbench.records.cost import TuningCost
from voxbench.records.record import Arm
from voxbench.records.trials import TrialRecord, Trials, best_of
from voxbench.running.bind import keys_of, trainings_at
from voxbench.running.bound import BoundCell, Trainings
from voxbench.running.task_arm import TaskArm

_VERSION = 1  # of what a trial is


@dataclass(frozen=True)
class Study:
    """An arm on a task whose values are chosen, at one fraction or for all of them.

    Attributes:
        key: of all that decides how its trials end, but for how many there are.
        tuning: the sweep's table.
        trial: the cell whose values trials change; it holds no test cases.
        untuned: for each fraction that takes the values, what its trainings share by the recipe.
        on: the arm on its task.
        draws: of the cells.
        seeds: of the cells.
    """

    key: str
    tuning: Tuning
    trial: BoundCell
    untuned: tuple[Trainings, ...]
    on: TaskArm
    draws: tuple[int, ...]
    seeds: tuple[int, ...]

    @property
    def arm(self) -> Arm:
        """The names that tables group its cells by."""
        return self.trial.arm

    @property
    def first(self) -> tuple[int, int]:
        """Draw and seed of its trials."""
        return self.draws[0], self.seeds[0]

    @property
    def folds(self) -> int:
        """How often a trial is trained."""
        split, fraction = self.on.dataset.split, self.untuned[0].cell.fraction
        train, validation = (
            len({case.patient for case in part}) for part in (split.train, split.validation)
        )
        count = fraction.count(train)
        return fold_count(count, scaled(validation, count, train))

    def over(self, trials: Sequence[TrialRecord]) -> bool:
        """Whether all trials of its budget are over."""
        return {*range(self.tuning.trials)} <= {trial.number for trial in trials}

    def cells(self, trials: Sequence[TrialRecord]) -> list[BoundCell]:
        """Those that train with the values of the best trial; none while trials are missing.

        Where no trial is complete there is nothing to choose: the cells have a reason.
        """
        own = [trial for trial in trials if trial.number < self.tuning.trials]
        if not self.over(own):
            return []
        best = best_of(own)
        return [cell for base in self.untuned for cell in self._cells(base, own, best)]

    def _cells(
        self, base: Trainings, trials: Sequence[TrialRecord], best: TrialRecord | None
    ) -> Iterator[BoundCell]:
        named = base.arm.model_copy(update={"adaptation": self.arm.adaptation})
        if best is None:
            said = next((trial.failure for trial in trials if trial.failure), "all were pruned")
            reason = f"no trial of its tuning is complete: {said}"
            yield BoundCell(replace(base, arm=named, reason=reason), *self.first, key="")
            return
        tuned = Tuned(
            study=self.key,
            tuning=digest(self.tuning.told)[:20],
            trials=self.tuning.trials,
            values=tuple(sorted(best.values.items())),
        )
        cost = tuning_cost(self.tuning, trials, best)
        made = replace(base.with_values(best.values, tuned), arm=named, tuning=cost)
        key = keys_of(made, self.on)
        for draw in self.draws:
            for seed in self.seeds:
                yield BoundCell(made, draw, seed, key(draw, seed))


def tuning_cost(tuning: Tuning, trials: Sequence[TrialRecord], best: TrialRecord) -> TuningCost:
    """What a study took, and by what it chose."""
    states = Counter(trial.state for trial in trials)
    costs = [trial.cost for trial in trials if trial.cost]
    return TuningCost(
        study=best.study,
        trials=len(trials),
        pruned=states["pruned"],
        failed=states["failed"],
        sampler=tuning.sampler,
        pruner=tuning.pruner,
        score=best.score,
        validation=best.validation,
        patients=len(best.scores),
        gpu_hours=sum(cost.gpu_hours for cost in costs),
        cpu_hours=sum(cost.cpu_hours for cost in costs),
    )


def studies_of(
    sweep: Sweep, tuning: Tuning, arms: Sequence[TaskArm], limit: int | None = None
) -> list[Study]:
    """The studies of a sweep, arm by arm; an arm that stands for several is tuned once.

    Each is made on the first draw and seed of the sweep. Arms that can't be run have none.
    """
    found: dict[str, Study] = {}
    for on in arms:
        for adaptation, own in product(_adaptations(sweep, tuning), on.recipes):
            made = [trainings_at(on, own, f, adaptation, limit) for f in sweep.fractions]
            for together in _scopes([one for one in made if not one.reason], tuning, on):
                study = _study(sweep, tuning, on, together)
                found.setdefault(study.key, study)
    return list(found.values())


def _adaptations(sweep: Sweep, tuning: Tuning) -> list[Adaptation]:
    """Those that are tuned one by one: that of the sweep's, unless it is a parameter itself."""
    trained = [one for one in sweep.adaptation if one not in DIRECT]
    return ["full"] if ADAPTATION in tuning.space else trained


def _scopes(made: Sequence[Trainings], tuning: Tuning, on: TaskArm) -> list[tuple[Trainings, ...]]:
    """The trainings that take the values of one study, those of the fewest cases first."""
    if tuning.scope == "fraction":
        return [(one,) for one in made]
    patients = len({case.patient for case in on.dataset.split.train})

    def size(one: Trainings) -> int:
        fraction: Fraction = one.cell.fraction
        return fraction.count(patients)

    return [tuple(sorted(made, key=size))] if made else []


def _study(sweep: Sweep, tuning: Tuning, on: TaskArm, together: tuple[Trainings, ...]) -> Study:
    """A study that is made at the first of some trainings."""
    first, draw, seed = together[0], sweep.draws[0], sweep.seeds[0]
    values = next(tuning.corners())  # the recipe's own value of what is tuned decides nothing
    made = first.with_values(values)
    own = keys_of(made, on)(draw, seed)
    key = digest([_VERSION, own, tuning.told])[:20]
    arm = first.arm.model_copy(update={"adaptation": adapted(made.cell.adaptation, values)})
    blind = replace(made, arm=arm, dataset=first.dataset.untested)
    trial = BoundCell(blind, draw, seed, key)
    return Study(key, tuning, trial, together, on, sweep.draws, sweep.seeds)


def trials_in(root: Path) -> Mapping[str, list[TrialRecord]]:
    """Key of a study → its trials in an output folder.

    Raises:
        RecordError: a file is damaged.
    """
    ordered = groupby(Trials(root), key=lambda trial: trial.study)
    return {study: list(own) for study, own in ordered}
