"""Is anything missing: cells of the grid, twins.

The rule: an arm without a single record of its scratch twin on a task has no effect to show and is
an error; holes in a grid of fractions, draws, seeds and folds are warnings, since what is there
counts. Records that are in the results already fill holes.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator

from voxbench.design.cell import DIRECT
from voxbench.design.tuning import shared_recipe
from voxbench.records import Record
from voxbench.submission.diagnostics import Diagnostic, error, warning

_Axes = tuple[str, int, int, int]
_UNFOLDED = -1


def check_complete(records: Iterable[Record], known: Iterable[Record]) -> Iterator[Diagnostic]:
    """Missing twins and holes."""
    own = list(records)
    there: dict[tuple[str, ...], set[_Axes]] = defaultdict(set)
    for record in (*own, *known):
        if record.status == "ok" and not record.smoke:
            there[_arm(record, record.arm.baseline)].add(_axes(record))
    submitted = {_arm(record, record.arm.baseline): record for record in own}
    for arm, record in submitted.items():
        name = f"{record.arm.baseline} on {record.arm.task}"
        if arm not in there:
            yield warning("all cells of an arm failed", name)
            continue
        if record.arm.adaptation not in DIRECT:
            yield from _holes(name, there[arm])
        if record.arm.twin:
            yield from _twin(name, there[arm], there.get(_arm(record, record.arm.twin), set()))
    for record in own:
        if record.status == "failed":
            yield warning("a failed cell", f"{record.key} {record.failure or ''}")


def _arm(record: Record, name: str) -> tuple[str, ...]:
    """What is compared with each other: one task with one recipe and one adaptation."""
    return record.arm.task, name, record.arm.adaptation, str(shared_recipe(record.cell))


def _axes(record: Record) -> _Axes:
    arm = record.arm
    return arm.fraction, arm.draw, arm.seed, _UNFOLDED if arm.fold is None else arm.fold


def _holes(name: str, there: set[_Axes]) -> Iterator[Diagnostic]:
    axes = [dict.fromkeys(axis) for axis in zip(*sorted(there), strict=True)]
    missing = [cell for cell in itertools.product(*axes) if cell not in there]
    if missing:
        what = "a hole in the grid of fractions, draws, seeds and folds"
        yield warning(what, _told(name, missing))


def _twin(name: str, there: set[_Axes], twin: set[_Axes]) -> Iterator[Diagnostic]:
    if not twin:
        yield error("an arm without its scratch twin, neither here nor in the results", name)
    elif missing := sorted(there - twin):
        yield warning("cells without their twin", _told(name, missing))


def _told(name: str, missing: list[_Axes]) -> str:
    fraction, draw, seed, fold = missing[0]
    part = "" if fold == _UNFOLDED else f", fold {fold}"
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"{name}, {fraction}, draw {draw}, seed {seed}{part}{more}"
