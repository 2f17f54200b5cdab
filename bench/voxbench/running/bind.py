"""From a sweep to its cells, each with all that it stands for here, looked up once."""

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from voxbench.api import Task
from voxbench.data.cross_validation import cross_validated
from voxbench.data.dataset import Dataset, open_dataset
from voxbench.data.fraction import unfit
from voxbench.data.planned import task_recipes
from voxbench.data.voxel_size import kernel_spacing
from voxbench.design.cell import DIRECT, Adaptation, Cell, Ref, refs_of
from voxbench.design.fraction import ZERO_SHOT, Fraction
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Pretraining, Recipe
from voxbench.design.recipe_table import TaskRecipe
from voxbench.design.spec import Sweep
from voxbench.design.versions import outside_version, training_versions
from voxbench.errors import SpecError
from voxbench.memory import no_collector
from voxbench.plugins import TASKS, find_task
from voxbench.pretrain.plan import PretrainingPlan
from voxbench.published.file import WeightsFile
from voxbench.records.record import Arm
from voxbench.running.arms import SweepArm, resolve_arms
from voxbench.running.bound import BoundCell, Trainings
from voxbench.running.external_sets import external_tests
from voxbench.running.task_arm import ArmRecipe, Binder, TaskArm, TaskData, headless
from voxbench.running.versions import VERSIONS

Keys = Callable[[int, int], str]
Axes = tuple[Fraction, int, int, Adaptation]
Schedule = TypeVar("Schedule", Recipe, Pretraining)
Kind = tuple[int, Fraction, Adaptation]
Identity = tuple[Trainings, int, int]


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
    return bind_sweep(sweep, limit)[1]


def bind_sweep(sweep: Sweep, limit: int | None = None) -> tuple[list[TaskArm], list[BoundCell]]:
    """Every arm of a sweep on each of its tasks and their folds, and all cells, see `bind`."""
    arms = _bind_arms(sweep, limit)
    found: dict[Identity, BoundCell] = {}
    same: dict[Cell, Trainings] = {}
    with no_collector():
        for on in arms:
            found |= _cells(sweep, on, limit, same)
    return arms, list(found.values())


def _bind_arms(sweep: Sweep, limit: int | None) -> list[TaskArm]:
    """All that a sweep names is looked up, then its tasks' data are opened, then arms bound."""
    arms = [
        replace(arm, pretraining=arm.pretraining and _limited(arm.pretraining, limit))
        for arm in resolve_arms(sweep)
    ]
    tasks = _tasks(sweep)
    sources = {ref for arm in arms for ref in refs_of(arm.source)}
    named = tasks | {ref: find_task(ref) for ref in sources - tasks.keys()}
    binder = Binder(named, tuple(sweep.corpora.values()))
    contracts = {arm.contract for arm in arms}
    data = [
        one for ref, task in tasks.items() for one in _task_data(sweep, ref, task, contracts, limit)
    ]
    tests = external_tests(sweep, {one.task: one.dataset for one in data})
    return [
        replace(binder.bind_arm(one, arm), tests=tests.get(one.task, ()))
        for one, arm in itertools.product(data, arms)
    ]


def _task_data(
    sweep: Sweep,
    ref: Ref,
    task: Task,
    contracts: Collection[Preprocessing | None],
    limit: int | None,
) -> Iterator[TaskData]:
    """The data of a task, or of each of its folds.

    Raises:
        SpecError: it has no labels.
    """
    dataset = open_dataset(task)
    if not dataset.split.labelled:
        raise SpecError(
            f"task {dataset.card.name!r}: has no labels to train on and to score by; it can be "
            "the source of a baseline that needs none."
        )
    recipes = _recipes(sweep, ref, dataset, limit)
    for fold in sweep.tested:
        own = cross_validated(task, dataset, fold) if fold else dataset
        yield TaskData(ref, own, {one: _on_grid(recipes, own, one) for one in contracts})


def _on_grid(
    recipes: Sequence[TaskRecipe], dataset: Dataset, contract: Preprocessing | None
) -> tuple[ArmRecipe, ...]:
    """The recipes of a task under a contract of its arms.

    Raises:
        DataError: the header of an image can't be read.
    """
    own, demanded = dataset.card.preprocessing, contract and contract.on(dataset.card.modalities)
    grids = [one.grid(demanded, own) for one in recipes]
    return tuple(
        ArmRecipe(*one, grid, kernel_spacing(dataset, grid, one.recipe))
        for one, grid in zip(recipes, grids, strict=True)
    )


def _recipes(sweep: Sweep, ref: Ref, dataset: Dataset, limit: int | None) -> list[TaskRecipe]:
    """Those of a task, each once.

    Raises:
        SpecError: one asks for raters whom the task has not.
    """
    table = sweep.recipe.on(dataset.card.name, ref.name)
    found = task_recipes(table, dataset)
    rated = any(case.raters for case in dataset.split.train)
    if not rated and any(one.recipe.raters for one in found):
        raise SpecError(
            f"recipe.raters: no training case of {dataset.card.name} has several raters; say it of "
            "tasks that have them alone, in [recipe.TASK]."
        )
    return list(dict.fromkeys(one._replace(recipe=_limited(one.recipe, limit)) for one in found))


def _tasks(sweep: Sweep) -> dict[Ref, Task]:
    refs = [TASKS.complete(entry.ref) for entry in sweep.tasks]
    tasks = {ref: find_task(ref) for ref in refs}
    names = [tasks[ref].card.name for ref in refs]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise SpecError(
            f"tasks: {', '.join(sorted(repeated))} is named by two entries; give one another "
            "`title`."
        )
    sweep.recipe.check_tasks({*names, *(ref.name for ref in refs)})
    return tasks


def _axes(sweep: Sweep, arm: SweepArm) -> Iterator[Axes]:
    """Fraction, draw, seed and adaptation; direct inference knows only the last.

    A twin has nothing to infer with, and a published list is drawn once.
    """
    for axes in itertools.product(sweep.fractions, sweep.draws, sweep.seeds, sweep.adaptation):
        if axes[0].listed is not None and axes[1] != sweep.draws[0]:
            continue
        if axes[-1] not in DIRECT:
            yield axes
        elif arm.twin is not None:
            yield ZERO_SHOT, 0, 0, axes[-1]


def _cells(
    sweep: Sweep, on: TaskArm, limit: int | None, same: dict[Cell, Trainings]
) -> Iterator[tuple[Identity, BoundCell]]:
    """Those of an arm on a task, each under what it is; `same` holds the first of equal ones."""
    known: dict[Kind, tuple[Trainings, Trainings, Keys]] = {}
    axes = itertools.product(enumerate(on.recipes), dict.fromkeys(_axes(sweep, on.arm)))
    for (place, recipe), (fraction, draw, seed, adaptation) in axes:
        kind = place, fraction, adaptation
        if place and adaptation in DIRECT:  # which takes no steps
            continue
        if kind not in known:
            made = trainings_at(on, recipe, fraction, adaptation, limit)
            first = same.setdefault(made.cell, made)
            known[kind] = first, made, keys_of(made, on)
        first, made, key = known[kind]
        yield (first, draw, seed), BoundCell(made, draw, seed, key(draw, seed))


def trainings_at(
    on: TaskArm, own: ArmRecipe, fraction: Fraction, adaptation: Adaptation, limit: int | None
) -> Trainings:
    """What an arm's trainings at a fraction share, by the sweep's recipe as it is."""
    arm, baseline, dataset = on.arm, on.arm.baseline, on.dataset
    weights, direct = on.weights, adaptation in DIRECT
    kernels, reason = own.kernel_spacing, on.reason
    if direct:
        kernels = weights.kernel_spacing if isinstance(weights, PretrainingPlan) else None
        reason = reason or headless(baseline, weights, dataset.card, adaptation)
    else:
        reason = reason or own.reason
    reason = reason or unfit(dataset.split, fraction)
    names = Arm(
        task=dataset.card.name,
        baseline=arm.label,
        twin=None if direct else arm.twin_label,
        strategy=baseline.card.strategy,
        network=f"{baseline.architecture}-{baseline.size}",
        fraction=str(fraction),
        draw=0,
        seed=0,
        adaptation=adaptation,
        fold=dataset.fold.number if dataset.fold else None,
    )
    cell = Cell(
        task=on.task,
        baseline=arm.ref,
        fraction=fraction,
        draw=0,
        seed=0,
        adaptation=adaptation,
        limit=limit,
        recipe=own.recipe,
        source=arm.source,
        pretraining=arm.pretraining,
        contract=on.contract,
        fold=dataset.fold,
        twin=None if direct else arm.twin,
    )
    return Trainings(
        cell,
        names,
        dataset,
        own.grid,
        baseline,
        kernel_spacing=kernels,
        weights=None if reason else weights,
        contamination=None if reason else on.contamination,
        reason=reason,
        planned=own.planned,
        tests=on.tests,
    )


def keys_of(trainings: Trainings, on: TaskArm) -> Keys:
    """What gives the key of a draw and a seed; an empty one where they can't be run."""
    if trainings.reason:
        return lambda _draw, _seed: ""
    cell, dataset, weights = trainings.cell, trainings.dataset, on.weights
    grid = cell.contract or dataset.card.preprocessing
    return cell.keys(
        dataset.identity,
        weights.sha256 if isinstance(weights, WeightsFile) else None,
        weights.source.identity if isinstance(weights, PretrainingPlan) else None,
        {**VERSIONS, **on.objective, **training_versions(cell), **outside_version(grid)},
    )


def _limited(schedule: Schedule, limit: int | None) -> Schedule:
    if limit is None:
        return schedule
    return schedule.model_copy(update={"steps": min(schedule.steps, limit)})
