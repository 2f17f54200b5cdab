"""From a sweep to its cells: every pairing of its axes, and the scratch twins."""

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from voxbench.api import Baseline, Pretrained, Published, Task, TaskCard
from voxbench.design.cell import Adaptation, Cell, Ref
from voxbench.design.fraction import ZERO_SHOT, Fraction
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Pretraining, Recipe
from voxbench.design.spec import Entry, Sweep
from voxbench.design.structures import shared
from voxbench.errors import SpecError, unknown
from voxbench.plugins import BASELINES, TASKS, find_baseline, find_task
from voxbench.records.record import Arm

Axes = tuple[Fraction, int, int, Adaptation]
Schedule = TypeVar("Schedule", Recipe, Pretraining)


@dataclass(frozen=True)
class Arranged:
    """A cell with the names that tables group it by, and why it can't be run, if it can't."""

    cell: Cell
    arm: Arm
    reason: str | None = None


@dataclass(frozen=True)
class _Contender:
    """A baseline of the sweep, resolved: an arm, or the twin of one."""

    ref: Ref
    baseline: Baseline
    label: str
    contract: Preprocessing | None
    twin: Ref | None = None
    twin_label: str | None = None
    source: Ref | None = None
    source_card: TaskCard | None = None


def arrange(sweep: Sweep, limit: int | None = None) -> list[Arranged]:
    """All cells of a sweep, in the order of its axes; each once.

    Args:
        sweep: the validated sweep.
        limit: at most so many steps and test cases a cell.

    Raises:
        SpecError: two tasks share a name, or a source is unknown.
        PluginError: a task or baseline is unknown, broken, or refuses a field.
    """
    tasks = _tasks(sweep)
    contenders = list(_contenders(sweep))
    cells = (
        _arranged(sweep, ref, task, contender, axes, limit)
        for ref, task in tasks
        for contender in contenders
        for axes in _axes(sweep, contender)
    )
    return list({arranged.cell: arranged for arranged in cells}.values())


def _axes(sweep: Sweep, who: _Contender) -> Iterator[Axes]:
    """Fraction, draw, seed and adaptation; direct inference knows only the last.

    A twin has nothing to infer with.
    """
    for axes in itertools.product(sweep.fractions, sweep.draws, sweep.seeds, sweep.adaptation):
        if axes[-1] != "direct":
            yield axes
        elif who.twin is not None:
            yield ZERO_SHOT, 0, 0, "direct"


def _arranged(
    sweep: Sweep, ref: Ref, task: Task, who: _Contender, axes: Axes, limit: int | None
) -> Arranged:
    fraction, draw, seed, adaptation = axes
    direct = adaptation == "direct"
    cell = Cell(
        task=ref,
        baseline=who.ref,
        fraction=fraction,
        draw=draw,
        seed=seed,
        adaptation=adaptation,
        recipe=_limited(sweep.recipe, limit),
        twin=None if direct else who.twin,
        source=who.source,
        pretraining=_limited(sweep.pretraining, limit) if who.source else None,
        contract=who.contract and who.contract.on(task.card.modality),
        limit=limit,
    )
    arm = Arm(
        task=task.card.name,
        baseline=who.label,
        twin=None if direct else who.twin_label,
        strategy=who.baseline.card.strategy,
        network=f"{who.baseline.architecture}-{who.baseline.size}",
        fraction=str(fraction),
        draw=draw,
        seed=seed,
        adaptation=adaptation,
    )
    reason = _unfit(who.baseline, task.card, who.source_card)
    if direct and reason is None:
        reason = _headless(who.baseline, task.card)
    return Arranged(cell, arm, reason)


def _tasks(sweep: Sweep) -> list[tuple[Ref, Task]]:
    found = []
    for entry in sweep.tasks:
        ref = TASKS.complete(Ref.of(entry.name, entry.fields))
        found.append((ref, find_task(ref)))
    names = [task.card.name for _, task in found]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise SpecError(
            f"tasks: {', '.join(sorted(repeated))} is named by two entries; give one another "
            "`title`."
        )
    return found


def _contenders(sweep: Sweep) -> Iterator[_Contender]:
    """Every combination of each baseline's axes, then the twins that are not among them."""
    card_of = functools.cache(lambda source: find_task(source).card)  # may read every header
    arms = [_contender(sweep, ref, card_of) for entry in sweep.baselines for ref in _expand(entry)]
    labels = [arm.label for arm in arms]
    if repeated := {label for label in labels if labels.count(label) > 1}:
        raise SpecError(
            f"baselines: {', '.join(sorted(repeated))} is named by two entries; give their weights "
            "files different names."
        )
    yield from arms
    if not sweep.twins:
        return
    listed = {(arm.ref, arm.contract) for arm in arms}
    for arm in arms:
        if arm.twin and (arm.twin, arm.contract) not in listed:
            listed.add((arm.twin, arm.contract))
            assert arm.twin_label is not None  # noqa: S101 (goes with `twin`)
            yield _Contender(arm.twin, find_baseline(arm.twin), arm.twin_label, arm.contract)


def _contender(sweep: Sweep, ref: Ref, card_of: Callable[[Ref], TaskCard]) -> _Contender:
    baseline = find_baseline(ref)
    source = _source(sweep, baseline)
    contract = baseline.card.contract
    if baseline.twin is None:
        return _Contender(ref, baseline, label(ref), contract)
    twin = BASELINES.complete(Ref.of(*baseline.twin))
    # a twin under another input contract is another arm than the plain scratch baseline
    suffix = f" as {ref.name}" if contract else ""
    return _Contender(
        ref,
        baseline,
        label(ref),
        contract,
        twin,
        label(twin) + suffix,
        source,
        card_of(source) if source else None,
    )


def _expand(entry: Entry) -> Iterator[Ref]:
    names = list(entry.fields)
    axes = [value if isinstance(value, list) else [value] for value in entry.fields.values()]
    for name, axis in zip(names, axes, strict=True):
        if not axis or len({repr(value) for value in axis}) != len(axis):
            raise SpecError(
                f"baselines.{entry.name}.{name}: {axis} is empty or names a value twice."
            )
    for values in itertools.product(*axes):
        yield BASELINES.complete(Ref.of(entry.name, dict(zip(names, values, strict=True))))


def label(ref: Ref) -> str:
    """`name[field=value,…]` with the fields that differ from the plugin's defaults."""
    defaults = BASELINES.complete(Ref(ref.name)).values
    shown = [
        f"{key}={Path(str(value)).stem if key == 'weights' else value}"
        for key, value in ref.fields
        if defaults.get(key, ...) != value
    ]
    return f"{ref.name}[{','.join(shown)}]" if shown else ref.name


def _source(sweep: Sweep, baseline: Baseline) -> Ref | None:
    if not isinstance(baseline, Pretrained):
        return None
    if entry := sweep.sources.get(baseline.source):
        return TASKS.complete(Ref.of(entry.name, entry.fields))
    known = {*sweep.sources, *TASKS.plugins()}
    if baseline.source not in known:
        raise SpecError(
            f"baselines.{baseline.card.name}: {unknown('source', baseline.source, known)}"
        )
    return TASKS.complete(Ref(baseline.source))


def _unfit(baseline: Baseline, card: TaskCard, source: TaskCard | None) -> str | None:
    supervised = isinstance(baseline, Pretrained) and _needs_labels(baseline)
    if source and supervised and source.name == card.name:
        return "its supervised source is the task itself, whose labels the fraction rations"
    if source and (channels := len(source.channels)) != len(card.channels):
        return f"its source has {channels} channels, the task has {len(card.channels)}"
    return baseline.unfit(card)


def _needs_labels(baseline: Pretrained) -> bool:
    """Whether its weights, or those of the donor that it changes, are made from labels."""
    donor = find_baseline(Ref.of(*baseline.donor)) if baseline.donor else baseline
    return isinstance(donor, Pretrained) and donor.needs_labels


def _headless(baseline: Baseline, card: TaskCard) -> str | None:
    """Why a baseline's head can't infer a task directly, or None if it can."""
    outputs = baseline.card.outputs
    if not (isinstance(baseline, Published) and outputs):
        return "its weights have no head to infer with"
    if not baseline.decoder:
        return "a head needs the decoder that it was trained with"
    if not shared(outputs, card.classes):
        return f"its head has no class of the task: it gives {', '.join(outputs)}"
    return None


def _limited(schedule: Schedule, limit: int | None) -> Schedule:
    if limit is None:
        return schedule
    return schedule.model_copy(update={"steps": min(schedule.steps, limit)})
