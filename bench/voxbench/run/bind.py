"""From a sweep to its cells, each with all that it stands for here, looked up once."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from voxbench import metrics
from voxbench.api import Baseline, Pretrained, Published
from voxbench.data.cache import PREPARED_VERSION
from voxbench.data.dataset import Dataset, open_dataset
from voxbench.data.fraction import unfit
from voxbench.design.cell import Adaptation, Cell, Ref
from voxbench.design.fraction import ZERO_SHOT, Fraction
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Pretraining, Recipe
from voxbench.design.spec import Sweep
from voxbench.errors import DataError, SpecError, VoxbenchError, WeightsError
from voxbench.ledger.verdict import Verdict, verdict_for
from voxbench.plugins import TASKS, find_task
from voxbench.pretrain import PRETRAINING_VERSION
from voxbench.pretrain.plan import PretrainingPlan, plan_pretraining
from voxbench.published.file import WeightsFile, verified_file
from voxbench.records import SCHEMA
from voxbench.records.record import Arm, Contamination
from voxbench.run.arms import SweepArm, headless, resolve_arms, unsuited

VERSIONS: dict[str, str | int] = {
    "record": SCHEMA,
    "metrics": metrics.METRICS_VERSION,
    "prepared": PREPARED_VERSION,
    "pretraining": PRETRAINING_VERSION,
}
Axes = tuple[Fraction, int, int, Adaptation]
InitialWeights = WeightsFile | PretrainingPlan | None
Schedule = TypeVar("Schedule", Recipe, Pretraining)


@dataclass(frozen=True)
class BoundCell:
    """A cell with all that running it takes; nothing of it is ever looked up again.

    Attributes:
        cell: what is trained on what.
        arm: the names that tables group it by.
        dataset: the task, with its cases.
        preprocessing: grid and intensity of its images.
        baseline: the plugin of its arm.
        weights: the file they are in, or how they are made here; None for scratch.
        contamination: whether they have seen the test cases; None where it can't be run.
        key: of its record; empty where it can't be run.
        reason: why it can't be run, if it can't.
    """

    cell: Cell
    arm: Arm
    dataset: Dataset
    preprocessing: Preprocessing
    baseline: Baseline
    weights: InitialWeights = None
    contamination: Contamination | None = None
    key: str = ""
    reason: str | None = None


@dataclass(frozen=True)
class _ArmOnTask:
    """What the cells of an arm on a task have in common."""

    arm: SweepArm
    task: Ref
    dataset: Dataset
    weights: InitialWeights = None
    source: Dataset | None = None
    contamination: Contamination | None = None
    reason: str | None = None


def bind(sweep: Sweep, limit: int | None = None) -> list[BoundCell]:
    """All cells of a sweep, in the order of its axes; each once.

    Args:
        sweep: the validated sweep.
        limit: at most so many steps and test cases a cell.

    Raises:
        SpecError: two tasks share a name, a source is unknown, a donor is none.
        PluginError: a task or baseline is unknown, broken, or refuses a field.
        DataError: a task's data are missing.
    """
    schedules = {name: _limited(getattr(sweep, name), limit) for name in ("recipe", "pretraining")}
    sweep = sweep.model_copy(update=schedules)
    arms, binder = resolve_arms(sweep), _Binder(sweep.pretraining)
    cells = (
        _cell(sweep, on, axes, limit)
        for ref in _tasks(sweep, binder)
        for on in (binder.bind(arm, ref) for arm in arms)
        for axes in _axes(sweep, on.arm)
    )
    return list({bound.cell: bound for bound in cells}.values())


def _tasks(sweep: Sweep, binder: "_Binder") -> list[Ref]:
    refs = [TASKS.complete(Ref.of(entry.name, entry.fields)) for entry in sweep.tasks]
    names = [binder.task(ref).card.name for ref in refs]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise SpecError(
            f"tasks: {', '.join(sorted(repeated))} is named by two entries; give one another "
            "`title`."
        )
    return refs


def _axes(sweep: Sweep, arm: SweepArm) -> Iterator[Axes]:
    """Fraction, draw, seed and adaptation; direct inference knows only the last.

    A twin has nothing to infer with.
    """
    for axes in itertools.product(sweep.fractions, sweep.draws, sweep.seeds, sweep.adaptation):
        if axes[-1] != "direct":
            yield axes
        elif arm.twin is not None:
            yield ZERO_SHOT, 0, 0, "direct"


def _cell(sweep: Sweep, on: _ArmOnTask, axes: Axes, limit: int | None) -> BoundCell:
    fraction, draw, seed, adaptation = axes
    arm, baseline, card = on.arm, on.arm.baseline, on.dataset.card
    direct = adaptation == "direct"
    cell = Cell(
        task=on.task,
        baseline=arm.ref,
        fraction=fraction,
        draw=draw,
        seed=seed,
        adaptation=adaptation,
        limit=limit,
        recipe=sweep.recipe,
        source=arm.source,
        pretraining=sweep.pretraining if arm.source else None,
        contract=arm.contract and arm.contract.on(card.modality),
        twin=None if direct else arm.twin,
    )
    names = Arm(
        task=card.name,
        baseline=arm.label,
        twin=None if direct else arm.twin_label,
        strategy=baseline.card.strategy,
        network=f"{baseline.architecture}-{baseline.size}",
        fraction=str(fraction),
        draw=draw,
        seed=seed,
        adaptation=adaptation,
    )
    reason = (headless(baseline, card) if direct else None) or on.reason
    reason = reason or unfit(on.dataset.split, fraction)
    own = cell.contract or card.preprocessing
    if reason:
        return BoundCell(cell, names, on.dataset, own, baseline, reason=reason)
    key = cell.key(
        on.dataset.identity,
        on.weights.sha256 if isinstance(on.weights, WeightsFile) else None,
        on.source.identity if on.source else None,
        VERSIONS,
    )
    return BoundCell(cell, names, on.dataset, own, baseline, on.weights, on.contamination, key)


class _Binder:
    """Looks arms up on their tasks: a task, a data set or weights once, however many use them."""

    def __init__(self, schedule: Pretraining) -> None:
        self.schedule = schedule
        self.task = cache(find_task)
        self.dataset = cache(self._dataset)
        self.weights = cache(self._weights)

    def bind(self, arm: SweepArm, ref: Ref) -> _ArmOnTask:
        """What an arm is on a task, or why it can't be used there."""
        dataset = self.dataset(ref)
        card = self.task(arm.source).card if arm.source else None
        if reason := unsuited(arm.baseline, dataset.card, card):
            return _ArmOnTask(arm, ref, dataset, reason=reason)
        source = self.dataset(arm.source) if arm.source else None
        try:
            weights = self.weights(arm)
        except (WeightsError, DataError) as error:
            return _ArmOnTask(arm, ref, dataset, reason=str(error))
        seen = _contamination(arm.baseline, dataset, source, weights)
        return _ArmOnTask(arm, ref, dataset, weights, source, seen)

    def _dataset(self, ref: Ref) -> Dataset:
        return open_dataset(self.task(ref))

    def _weights(self, arm: SweepArm) -> InitialWeights:
        if isinstance(arm.baseline, Published):
            return verified_file(arm.baseline)
        if isinstance(arm.baseline, Pretrained) and arm.source:
            source = self.dataset(arm.source)
            return plan_pretraining(arm.baseline, source.task, source.split.train, self.schedule)
        return None


def _contamination(
    baseline: Baseline, dataset: Dataset, source: Dataset | None, weights: InitialWeights
) -> Contamination:
    """The verdict on an arm's weights, by the names of corpora, by patient and by file.

    What can't be told (a broken ledger) is unknown, with the reason: it must not stop a sweep.
    Copies that were altered are not looked for here, which would read every image of the source:
    that is what `voxbench overlap` does.
    """
    cases = weights.cases if isinstance(weights, PretrainingPlan) else ()
    try:
        found = verdict_for(baseline, dataset, source, cases)
    except VoxbenchError as error:
        found = Verdict("unknown", reason=str(error))
    return Contamination(status=found.status, shared=list(found.shared), reason=found.reason)


def _limited(schedule: Schedule, limit: int | None) -> Schedule:
    if limit is None:
        return schedule
    return schedule.model_copy(update={"steps": min(schedule.steps, limit)})
