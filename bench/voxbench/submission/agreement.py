"""Facts that a record tells more than once, or that follow from others of it: they agree."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from statistics import median

from voxbench.design.cell import DIRECT, Cell
from voxbench.records import Record
from voxbench.records.cost import Cost, compute_hours
from voxbench.submission.diagnostics import Diagnostic, error, warning
from voxbench.submission.scores import RELATIVE_ROUNDING

FASTEST_S = 1e-3  # a step on any machine: Python alone takes about as long
_SLOWER = 20  # times as fast as others of its kind is a reason to ask


def check_agreement(record: Record, cell: Cell) -> Iterator[Diagnostic]:
    """Cost, curves, weights, data and contamination against the cell and each other."""
    if (record.status == "failed") != (record.failure is not None):
        yield error("status and failure contradict", record.key)
    if (cell.source is None) != (cell.pretraining is None):
        yield error("a source without pre-training, or the other way round", record.key)
    yield from _contamination(record)
    if record.status == "ok":
        yield from _steps(record, cell)
        yield from _weights(record)
        yield from _data(record, cell)
        if record.cost:
            yield from _hours(record, cell, record.cost)


def _steps(record: Record, cell: Cell) -> Iterator[Diagnostic]:
    """Steps of the recipe, of the cost and of the curves."""
    wanted = 0 if record.arm.adaptation in DIRECT else cell.recipe.steps
    told = {
        "the cost": record.cost.steps if record.cost else wanted,
        "the loss curve": max(record.training, default=0),
    }
    for what, steps in told.items():
        if steps != wanted:
            yield error(
                "other steps than the recipe's",
                f"{record.key}: {wanted:,} in the recipe, {steps:,} in {what}",
            )
    unselected = wanted > 0 and cell.recipe.selection == "best" and not record.validation
    if unselected or max(record.validation, default=0) > wanted:
        yield error("validations that the recipe does not have", record.key)


def _hours(record: Record, cell: Cell, cost: Cost) -> Iterator[Diagnostic]:
    """Seconds, their parts, and the hours that they count for on the device."""
    parts = cost.fit_seconds + cost.predict_seconds
    if parts > cost.seconds * (1 + RELATIVE_ROUNDING):
        yield error("parts that take longer than the whole", f"{record.key}: {parts:g} s")
    device, threads = record.environment.get("device"), record.environment.get("threads")
    if not isinstance(device, str) or not isinstance(threads, int) or threads < 1:
        yield error("no device or no threads", record.key)
        return
    if record.environment.get("devices", 1) != cell.devices:
        yield error("other devices than the recipe's", record.key)
        return
    wanted = compute_hours(cost.seconds, device, threads, cell.devices)
    for name, hours in wanted._asdict().items():
        if not math.isclose(getattr(cost, name), hours, rel_tol=RELATIVE_ROUNDING):
            yield error(
                "hours that are not the seconds on the device",
                f"{record.key}: {name} {getattr(cost, name):g}, {hours:g} by {cost.seconds:g} s",
            )
    if cost.fit_seconds < cost.steps * FASTEST_S:
        yield warning(
            "faster training than a machine's",
            f"{record.key}: {cost.steps:,} steps in {cost.fit_seconds:g} s",
        )


def _weights(record: Record) -> Iterator[Diagnostic]:
    scratch, weights = record.arm.strategy == "scratch", record.weights
    if scratch != (weights is None) or (scratch and record.arm.twin):
        yield error("strategy, twin and weights contradict", record.key)
    if weights is None:
        return
    audit = weights.audit
    if (audit.loaded_share == 1) != (not audit.missing):
        yield error(
            "the share of loaded weights and the list of missing ones contradict", record.key
        )
    if len(audit.activation_before) != len(audit.activation_after):
        yield error("other activations before loading than after it", record.key)


def _data(record: Record, cell: Cell) -> Iterator[Diagnostic]:
    data, shots = record.data, cell.fraction.shots
    if data is None:
        return
    if shots is not None and data.train_patients > shots:
        yield error(
            "more patients than the fraction asks for",
            f"{record.key}: {data.train_patients} of {shots} shots",
        )
    plain = record.arm.adaptation in DIRECT or cell.recipe.augmentation == "none"
    if data.mirrored and plain:
        yield error("mirrored, though nothing was augmented", record.key)


def _contamination(record: Record) -> Iterator[Diagnostic]:
    if (seen := record.contamination) is None:
        return
    tested = set(record.data.test if record.data else [])
    by_case = seen.status == "overlaps (by case)"
    if bool(seen.shared) != seen.status.startswith("overlaps") or (
        by_case and record.data and not set(seen.shared) <= tested
    ):
        yield error("contamination and what is shared contradict", f"{record.key}: {seen.status}")


def check_alike(records: Iterable[Record], known: Iterable[Record]) -> Iterator[Diagnostic]:
    """What trainings of one network have in common: parameters, and about the time of a step."""
    own = {record.key: record for record in records if record.cost and record.status == "ok"}
    networks: dict[tuple[object, ...], list[Record]] = defaultdict(list)
    for record in (*own.values(), *(r for r in known if r.key not in own)):
        if record.cost and record.status == "ok":
            networks[_network(record)].append(record)
    for group in networks.values():
        yield from _parameters(group, own)
        yield from _speed(group, own)


def _network(record: Record) -> tuple[object, ...]:
    arm, kind = record.arm, str(record.environment.get("device")).partition(":")[0]
    recipe = record.cell.get("recipe")
    return arm.task, arm.baseline, arm.network, arm.adaptation, kind, str(recipe)


def _parameters(group: list[Record], own: Iterable[str]) -> Iterator[Diagnostic]:
    found = {record.cost.parameters: record for record in group if record.cost}
    if len(found) > 1 and any(record.key in own for record in group):
        told = ", ".join(f"{record.key}: {count:,}" for count, record in found.items())
        yield error("one network with two numbers of parameters", told)


def _speed(group: list[Record], own: Iterable[str]) -> Iterator[Diagnostic]:
    """Warnings where a step takes far less than in other trainings."""
    costs = {record.key: record.cost for record in group if record.cost and record.cost.steps}
    a_step = {key: cost.fit_seconds / cost.steps for key, cost in costs.items()}
    for key in a_step.keys() & set(own):
        others = [seconds for other, seconds in a_step.items() if other != key]
        if others and a_step[key] * _SLOWER < median(others):
            yield warning(
                "far faster training than that of the same network elsewhere",
                f"{key}: {a_step[key]:.2g} s a step, {median(others):.2g} s elsewhere",
            )
