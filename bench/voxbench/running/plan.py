"""What a sweep still has to do: every cell with its state and what it may cost."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Literal, get_args

from pydantic import ValidationError

from voxbench.data.split import freeze_split, split_name
from voxbench.design.recipe import Recipe
from voxbench.memory import no_collector
from voxbench.pretrain.plan import seconds_made
from voxbench.records import Facts, Store
from voxbench.records.glance import Glance
from voxbench.records.record import Arm
from voxbench.records.trials import TrialRecord
from voxbench.running.bound import BoundCell, Trainings
from voxbench.running.jobs import PretrainingJob, pretrainings
from voxbench.running.passes import Work, by_finished, network_of
from voxbench.running.studies import Study
from voxbench.running.tuner import Tuner

State = Literal["cached", "missing", "failed", "skipped"]
STATES: tuple[State, ...] = get_args(State)
_BYTES = 4  # of a parameter


@dataclass(frozen=True, slots=True)
class Planned:
    """A cell of the plan.

    Attributes:
        cell: with all that it stands for.
        state: cached (a record says ok), failed (a record says why), missing, or skipped.
        reason: of a skip or a failure, or why a missing cell will fail.
        seconds: median of finished cells of the same network and recipe, or an estimate; None if
            there is neither.
        verdict: digest of what its record says of contamination; "" where it has none.
    """

    cell: BoundCell
    state: State
    reason: str | None = None
    seconds: float | None = None
    verdict: str = ""

    @property
    def key(self) -> str:
        """Of its record; empty if it is skipped."""
        return self.cell.key

    @property
    def to_run(self) -> bool:
        """It has no result, and can have one."""
        return self.state in ("missing", "failed")

    @property
    def arm(self) -> Arm:
        """The names that tables group it by."""
        return self.cell.arm


@dataclass(frozen=True)
class PlannedWeights:
    """Weights that the missing cells of a plan need, to be made here.

    Attributes:
        job: that makes them.
        made: whether they are there.
        seconds: that making them took, or may take; None if that is unknown.
        reason: why they can't be made.
    """

    job: PretrainingJob
    made: bool
    seconds: float | None = None
    reason: str | None = None


def with_costs(cells: Sequence[Planned]) -> tuple[list[Planned], list[PlannedWeights]]:
    """A plan whose missing cells of an unknown kind are estimated, and the weights they need.

    By what finished cells of their network took; where nothing was run of it that is measured, for
    two seconds, and a network that can't be built is told.
    """
    missing = [one for one in cells if one.state == "missing"]
    jobs = pretrainings(one.cell.trainings for one in missing)
    made = [seconds_made(job.id) for job in jobs]
    unknown = list(dict.fromkeys(one.cell.trainings for one in missing if one.seconds is None))
    unmade = [job.plan for job, seconds in zip(jobs, made, strict=True) if seconds is None]
    found = expected_of([*unknown, *unmade], cells)
    trained = dict(zip(unknown, found, strict=False))
    weights = iter(found[len(unknown) :])
    return (
        [
            _estimated(one, trained.get(one.cell.trainings)) if one.state == "missing" else one
            for one in cells
        ],
        [
            PlannedWeights(job, made=True, seconds=seconds)
            if seconds is not None
            else _unmade(job, next(weights))
            for job, seconds in zip(jobs, made, strict=True)
        ],
    )


def expected_of(work: Sequence[Work], cells: Sequence[Planned]) -> list[float | str | None]:
    """The seconds of each by finished cells of its network, else measured; or why it can't be."""
    finished = (
        (one.cell.trainings, one.seconds)
        for one in cells
        if one.state == "cached" and one.seconds is not None
    )
    found: list[float | str | None] = [*by_finished(work, finished)]
    if unknown := [one for one, seconds in zip(work, found, strict=True) if seconds is None]:
        from voxbench.running.estimate import estimate_seconds

        measured = iter(estimate_seconds(unknown))
        found = [next(measured) if seconds is None else seconds for seconds in found]
    return found


def kept_bytes(cells: Sequence[Planned], root: Path) -> int:
    """What the weights of the cells that are to run take on disk if they are kept.

    By the parameters of a finished cell of their network; where there is none they are counted.
    """
    store = Store(root)
    keys = {one.cell.trainings: one.key for one in cells if one.state == "cached"}
    finished = {network_of(one).same: key for one, key in keys.items()}
    costs = {network: store.facts(key).cost for network, key in finished.items()}
    todo = Counter(
        one.cell.trainings for one in cells if one.to_run and one.cell.trainings.cell.is_trained
    )
    total, unknown = 0, Counter[Trainings]()
    for trainings, count in todo.items():
        if cost := costs.get(network_of(trainings).same):
            total += count * cost.parameters * _BYTES
        else:
            unknown[trainings] = count
    if unknown:
        from voxbench.running import estimate

        total += estimate.weights_bytes(unknown)
    return total


def _estimated(one: Planned, found: float | str | None) -> Planned:
    if isinstance(found, str):
        return replace(one, reason=found)
    return one if found is None else replace(one, seconds=found)


def _unmade(job: PretrainingJob, found: float | str | None) -> PlannedWeights:
    if isinstance(found, str):
        return PlannedWeights(job, made=False, reason=found)
    return PlannedWeights(job, made=False, seconds=found)


@dataclass(frozen=True)
class PlannedStudy:
    """A study of the plan.

    Attributes:
        states: of its trials: complete, pruned, failed, missing.
        missing: numbers of those that are not over.
        cells: that wait for it; none once it is over.
        seconds: median of its trials, or an estimate of one; None if there is neither.
        reason: why a trial will fail.
    """

    study: Study
    states: Counter[str]
    missing: Set[int]
    cells: int
    seconds: float | None = None
    reason: str | None = None


def plan_studies(tuner: Tuner) -> list[PlannedStudy]:
    """Count the trials of each study, and say what one takes."""
    found = [_planned_study(study, tuner.trials.get(study.key, ())) for study in tuner.studies]
    unknown = [one for one in found if one.cells and one.seconds is None]
    if not unknown:
        return found
    from voxbench.running.estimate import estimate_seconds

    told = estimate_seconds([one.study.trial.trainings for one in unknown])
    known = {one.study.key: told for one, told in zip(unknown, told, strict=True)}
    return [_costed(one, known.get(one.study.key)) for one in found]


def _costed(one: PlannedStudy, found: float | str | None) -> PlannedStudy:
    if isinstance(found, str):
        return replace(one, reason=found)
    return one if found is None else replace(one, seconds=found * one.study.folds)


def _planned_study(study: Study, trials: Sequence[TrialRecord]) -> PlannedStudy:
    own = [trial for trial in trials if trial.number < study.tuning.trials]
    missing = {*range(study.tuning.trials)} - {trial.number for trial in own}
    seconds = [trial.cost.seconds for trial in own if trial.cost and trial.state == "complete"]
    states = Counter[str](trial.state for trial in own)
    states["missing"] = len(missing)
    waiting = len(study.untuned) * len(study.draws) * len(study.seeds) if missing else 0
    return PlannedStudy(study, states, missing, waiting, median(seconds) if seconds else None)


@no_collector()
def plan_cells(cells: Sequence[BoundCell], root: Path) -> list[Planned]:
    """Look every cell up among the records of an output folder.

    The split of each task is frozen in the folder when it is first planned.

    Raises:
        DataError: a task's split is not the frozen one.
        RecordError: a stored record is damaged.
    """
    kinds = _kinds(cells)
    found = {split_name(one.arm.task, one.dataset.fold): one.dataset for one in kinds}
    for name, dataset in found.items():
        freeze_split(dataset.split, root / "splits" / f"{name}.json")
    store = Store(root)
    known = {found.key: found for found in store.glances()}
    expected = _expected(store, known, {cell.key: kinds[cell.trainings] for cell in cells})
    return [
        _planned(cell, known.get(cell.key), expected.get(kinds[cell.trainings])) for cell in cells
    ]


def _kinds(cells: Sequence[BoundCell]) -> dict[Trainings, str]:
    found = dict.fromkeys(cell.trainings for cell in cells)
    return {one: _kind(one.arm, one.cell.recipe) for one in found}


def _planned(cell: BoundCell, found: Glance | None, expected: float | None) -> Planned:
    if reason := cell.trainings.reason:
        return Planned(cell, "skipped", reason)
    if found is None:
        return Planned(cell, "missing", None, expected)
    if found.failure is not None:
        return Planned(cell, "failed", found.failure, expected)
    return Planned(cell, "cached", None, found.seconds, found.verdict)


def _expected(
    store: Store, known: Mapping[str, Glance], kinds: Mapping[str, str]
) -> dict[str, float]:
    """Median seconds of the finished cells of a kind; `kinds` are those of the planned ones."""
    found: dict[str, list[float]] = defaultdict(list)
    for key, one in known.items():
        if one.failure is None and one.seconds is not None:
            with suppress(ValidationError):  # a recipe of another version is of another kind
                found[kinds.get(key) or _recorded_kind(store.facts(key))].append(one.seconds)
    return {kind: median(values) for kind, values in found.items()}


def _recorded_kind(facts: Facts) -> str:
    return _kind(facts.arm, Recipe.model_validate(facts.cell["recipe"]))


def _kind(arm: Arm, recipe: Recipe) -> str:
    """What decides how long a cell takes: task, network and recipe."""
    return f"{arm.task} {arm.network} {recipe.model_dump_json()}"
