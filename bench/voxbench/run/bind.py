"""From a sweep to its cells, each with all that it stands for here, looked up once."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from voxbench.api import Baseline
from voxbench.data.dataset import Dataset
from voxbench.data.fraction import unfit
from voxbench.design.cell import DIRECT, Adaptation, Cell, Ref
from voxbench.design.fraction import ZERO_SHOT, Fraction
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Pretraining, Recipe
from voxbench.design.spec import Sweep
from voxbench.errors import SpecError
from voxbench.plugins import TASKS
from voxbench.published.file import WeightsFile
from voxbench.records.record import Arm, Contamination
from voxbench.run.arms import SweepArm, resolve_arms
from voxbench.run.task_arm import Binder, InitialWeights, TaskArm, headless
from voxbench.run.versions import versions

Axes = tuple[Fraction, int, int, Adaptation]
Schedule = TypeVar("Schedule", Recipe, Pretraining)


@dataclass(frozen=True)
class BoundCell:
    """A cell with all that running it takes; nothing of it is ever looked up again.

    Attributes:
        cell: what is trained on what.
        arm: the names that tables group it by.
        dataset: the task's, with its cases.
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
    sweep = sweep.model_copy(update={"recipe": _limited(sweep.recipe, limit)})
    arms = [
        replace(arm, pretraining=arm.pretraining and _limited(arm.pretraining, limit))
        for arm in resolve_arms(sweep)
    ]
    binder = Binder()
    cells = (
        _cell(sweep, on, axes, limit)
        for ref in _tasks(sweep, binder)
        for on in (binder.bind_arm(ref, arm) for arm in arms)
        for axes in _axes(sweep, on.arm)
    )
    return list({bound.cell: bound for bound in cells}.values())


def _tasks(sweep: Sweep, binder: Binder) -> list[Ref]:
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
        if axes[-1] not in DIRECT:
            yield axes
        elif arm.twin is not None:
            yield ZERO_SHOT, 0, 0, axes[-1]


def _cell(sweep: Sweep, on: TaskArm, axes: Axes, limit: int | None) -> BoundCell:
    fraction, draw, seed, adaptation = axes
    arm, baseline, dataset = on.arm, on.arm.baseline, on.dataset
    direct = adaptation in DIRECT
    reason = (headless(baseline, dataset.card, adaptation) if direct else None) or on.reason
    reason = reason or unfit(dataset.split, fraction)
    names = Arm(
        task=dataset.card.name,
        baseline=arm.label,
        twin=None if direct else arm.twin_label,
        strategy=baseline.card.strategy,
        network=f"{baseline.architecture}-{baseline.size}",
        fraction=str(fraction),
        draw=draw,
        seed=seed,
        adaptation=adaptation,
    )
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
        pretraining=arm.pretraining,
        contract=on.contract,
        twin=None if direct else arm.twin,
    )
    bound = BoundCell(cell, names, dataset, on.preprocessing, baseline, reason=reason)
    return bound if reason else _with_weights(bound, on)


def _with_weights(bound: BoundCell, on: TaskArm) -> BoundCell:
    """What only a cell that can be run has: weights, the verdict on them, and a key."""
    weights, source = on.weights, on.source
    key = bound.cell.key(
        bound.dataset.identity,
        weights.sha256 if isinstance(weights, WeightsFile) else None,
        source.identity if source else None,
        versions(bound.cell, bound.dataset.card),
    )
    return replace(bound, weights=weights, contamination=on.contamination, key=key)


def _limited(schedule: Schedule, limit: int | None) -> Schedule:
    if limit is None:
        return schedule
    return schedule.model_copy(update={"steps": min(schedule.steps, limit)})
