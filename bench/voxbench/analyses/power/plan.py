"""What would settle the undecided comparisons of a result folder, as a table and in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxbench.analyses.pairing import twins
from voxbench.analyses.power.prospects import (
    FEWEST_RUNS,
    Extension,
    Prospect,
    SeedBudget,
    prospects,
    seed_budgets,
)
from voxbench.analyses.races.declaration import races_in
from voxbench.analyses.read import by_arm, groups_of, records_in
from voxbench.analyses.settings import setting_words, with_recipes
from voxbench.analyses.table import (
    DASH,
    Column,
    Table,
    as_row,
    hours,
    interval,
    interval_column,
    number,
    plain_columns,
)
from voxbench.stats.metric import Metric, find_metric
from voxbench.stats.power import POWER

_COUNTS = (5, 10, 20, 50)
_OF_EFFECT = (
    "task", "adaptation", "fraction", "setting", "arm", "other", "metric", "effect", "low", "high",
    "patients", "runs",
)  # fmt: skip
_PARTS = ("patient", "draw", "seed", "rest")
_CAVEAT = (
    f"This is a plan on the present estimates: each number gives a verdict with a chance of "
    f"{POWER:.0%} if the true effect is what these runs say, averaged over the spreads of patients "
    "and seeds that so few trainings allow. In simulations such plans came true in 78 to 90% of "
    "the cases for more seeds, in 70 to 85% among 30 arms, and for more patients, from 5 "
    "trainings on, in 71 to 99%, least where seeds differ much. Weights that were made here are "
    "shared by all seeds: they cost nothing more, and their own luck is in no interval."
)
_RACED = (
    "These records were stopped by a race, which fixed the number of its interim analyses "
    "beforehand: use this plan for a new sweep, not to add some."
)


@dataclass(frozen=True)
class PowerPlan:
    """A row an undecided comparison, what the table says in sentences, and what seeds cost."""

    table: Table
    sentences: list[str]
    budgets: list[SeedBudget]


def plan_power(folder: Path, metric: str = "dice", margin: float | None = None) -> PowerPlan:
    """Plan for each undecided comparison of an arm with its scratch twin.

    Args:
        folder: the output folder of a run.
        metric: a key of `stats.metric.ALL`.
        margin: of practical equivalence; None takes the metric's own.

    Raises:
        RecordError: there is no record, or one can't be read.
        SpecError: the metric is unknown.
    """
    chosen = find_metric(metric)
    margin = chosen.margin if margin is None else margin
    members = by_arm(records_in(folder))
    pairs = twins(groups_of(members), chosen)
    found = prospects(pairs, margin)
    present = max((one.design.seeds for one in found), default=0)
    budgets = seed_budgets(found, [count for count in _COUNTS if count > present])
    sentences = [_opening(len(pairs), len(found))]
    if found:
        sentences += [_sentence(one, chosen, margin) for one in found]
        sentences += [_budget(budget, len(found)) for budget in budgets if budget.settled]
        sentences += [_CAVEAT, *([_RACED] if races_in(folder) else [])]
    table = with_recipes(_table(found, chosen, margin), setting_words(members))
    return PowerPlan(table, sentences, budgets)


def _opening(pairs: int, undecided: int) -> str:
    if not pairs:
        return "No arm has a scratch twin to be compared with."
    if not undecided:
        return f"None of {pairs} comparisons with the scratch twin is undecided."
    return f"{undecided} of {pairs} comparisons with the scratch twin are undecided."


def _sentence(one: Prospect, metric: Metric, margin: float) -> str:
    effect = one.effect
    size = interval(metric.digits, signed=True)(*effect.effect)
    ways = "; ".join(_ways(one, metric, margin))
    return f"{effect.arm} on {effect.where}, {size}: {ways}."


def _ways(one: Prospect, metric: Metric, margin: float) -> list[str]:
    if one.effect.runs < 2:
        return ["1 training does not tell how much seeds differ; run 3 first (--set seeds=3)"]
    ways = []
    if one.seeds:
        ways.append(f"likely {one.likely} with {_told('seeds', one.seeds)}")
    else:
        ways.append(_hopeless(one, metric, margin))
    if one.draws:
        ways.append(f"or with {_told('draws', one.draws)}")
    if one.patients:
        ways.append(f"or with {one.patients} test patients in place of {one.effect.patients}")
    elif one.effect.runs < FEWEST_RUNS:
        ways.append(f"test patients are planned from {FEWEST_RUNS} trainings on")
    elif not one.seeds:
        ways.append("test patients alone don't either: both would have to grow")
    return ways


def _hopeless(one: Prospect, metric: Metric, margin: float) -> str:
    """Why seeds don't help: the patients, or the draws."""
    digits = number(metric.digits + 1)
    half, size = one.patients_reach, abs(one.effect.effect.mean)
    parts = "patients" if one.design.draws < 2 else "patients and draws"
    return (
        f"no number of seeds settles it: the {parts} alone leave ±{digits(half)} around an effect "
        f"of {digits(size)}, margin {margin:g}"
    )


def _told(axis: str, extension: Extension) -> str:
    """`seeds = 7 (--set seeds=7): 8 cells, 0.10 CPU h`."""
    values, count = extension.values, len(extension.values)
    plain = values == tuple(range(count))
    option = f"--set {axis}={count}" if plain else f"--set '{axis}=[{_listed(values)}]'"
    cells = f"{extension.cells} more cell{'s' if extension.cells > 1 else ''}"
    cost = _cost(extension.cpu_hours, extension.gpu_hours)
    return f"{axis} = {count} ({option}; {cells}, {cost})"


def _listed(values: Sequence[int]) -> str:
    return ",".join(map(str, values)) if len(values) <= 20 else f"{values[0]},…,{values[-1]}"


def _budget(budget: SeedBudget, undecided: int) -> str:
    return (
        f"seeds = {budget.seeds} for those that it settles: {budget.settled} of {undecided}, "
        f"{budget.cells} more cells, {_cost(budget.cpu_hours, budget.gpu_hours)}, twins counted "
        "once."
    )


def _cost(cpu: float, gpu: float) -> str:
    return hours(cpu, gpu) if cpu or gpu else "at a cost that is not recorded"


def _table(found: Sequence[Prospect], metric: Metric, margin: float) -> Table:
    digits = metric.digits
    several = any(one.design.draws > 1 for one in found)
    columns = [
        *plain_columns("task", "fraction", "arm"),
        interval_column("effect [95%]", "effect", digits, signed=True),
        *plain_columns("patients", "runs", number=True),
        *(
            Column(f"sd {name}", (f"sd_{name}",), number(digits), True)
            for name in _PARTS
            if name != "draw" or several
        ),
        Column("likely"),
        Column("seeds", show=_count, number=True),
        Column("more cells", ("seeds_cells",), _count, True),
        Column("hours", ("seeds_cpu_hours", "seeds_gpu_hours"), hours, True),
        *([Column("or draws", ("draws",), _count, True)] if several else []),
        Column("or patients", ("patients_needed",), _count, True),
    ]
    return Table(
        f"power-{metric.key}",
        "Power",
        f"Undecided effects on {metric.title}, the standard deviations behind single differences, "
        f"and how many seeds, draws or test patients in all give a verdict with a chance of "
        f"{POWER:.0%} (margin {margin:g}); a dash: no number does.",
        columns,
        [_row(one) for one in found],
    )


def _count(value: int | None) -> str:
    return DASH if value is None else str(value)


def _row(one: Prospect) -> dict[str, Any]:
    effect = as_row(one.effect)
    return {
        **{name: effect[name] for name in _OF_EFFECT},
        **{f"sd_{name}": getattr(one.parts, name) ** 0.5 for name in _PARTS},
        "clipped": ", ".join(one.parts.clipped),
        "likely": one.likely,
        "chance": one.chance,
        "reach_of_endless_seeds": one.patients_reach,
        **_extended("seeds", one.seeds),
        **_extended("draws", one.draws),
        "patients_needed": one.patients,
    }


def _extended(axis: str, extension: Extension | None) -> dict[str, Any]:
    """How many in all, their values, and what the missing cells take; None where none helps."""
    return {
        axis: extension and len(extension.values),
        f"{axis}_values": extension and _listed(extension.values),
        f"{axis}_cells": extension and extension.cells,
        f"{axis}_cpu_hours": extension and extension.cpu_hours,
        f"{axis}_gpu_hours": extension and extension.gpu_hours,
    }
