"""Commands that make records again: of a sweep, and of the cells of one result."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from voxbench.analyses.settings import steps_of
from voxbench.design.toml import read_toml, written
from voxbench.errors import SpecError
from voxbench.records import Facts
from voxbench.reporting.site.material import ArmResult, Material, plugin_of

Table = dict[str, Any]
"""A sweep's entry for a plugin: its name and fields."""


def sweep_file(material: Material, name: str) -> Path | None:
    """The file of a sweep, where it lies in `sweeps/` beside the records."""
    path = material.store.root / "sweeps" / f"{name}.toml"
    return path if path.name == f"{name}.toml" and path.is_file() else None


def sweep_commands(material: Material) -> list[str]:
    """One line a sweep, in the order of their names."""
    names = sorted({r.sweep for r in material.report.records if not r.imported})
    return [_command(material, name) for name in names]


def _command(material: Material, name: str) -> str:
    folder = shlex.quote(material.store.root.resolve().name)
    if sweep_file(material, name) is None:
        return f"voxbench run {shlex.quote(f'{name}.toml')} -o {folder}"
    return f"voxbench run {shlex.quote(f'{folder}/sweeps/{name}.toml')} -o {folder}"


def cell_command(material: Material, result: ArmResult) -> str:
    """The sweep, cut down to the trainings of a result; "" where scores were made elsewhere.

    Its first sweep, if several ran parts of it. What the records do not tell (where data lie) is
    taken from the sweep's file, and left as it is where that says too little. A twin under the
    input contract of an arm is run with that arm, which alone can ask for it.
    """
    first = result.records[0]
    if first.imported:
        return ""
    path = sweep_file(material, first.sweep)
    overrides = list(_overrides(first, result.records, _read(path)))
    words = [f"--set {shlex.quote(f'{key}={written(value)}')}" for key, value in overrides]
    return " \\\n  ".join([_command(material, first.sweep), *words])


def _read(path: Path | None) -> Mapping[str, Any]:
    try:
        return read_toml(path) if path else {}
    except SpecError:
        return {}


def _overrides(
    first: Facts, records: Sequence[Facts], sweep: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    yield "fractions", [first.arm.fraction]
    for axis in ("draw", "seed"):
        yield f"{axis}s", sorted({getattr(record.arm, axis) for record in records})
    adaptation = first.arm.adaptation.partition(",")[0]  # «frozen, tuned» is run beside «frozen»
    if _has(sweep.get("adaptation"), adaptation):
        yield "adaptation", adaptation
    recipe, steps = sweep.get("recipe"), steps_of(first)
    if isinstance(recipe, Mapping) and recipe.get("steps", steps) != steps and not first.smoke:
        yield "recipe.steps", steps  # one of several, or it was run with others by --set
    if tasks := _agreeing(*plugin_of(first, "task"), _tables(sweep, "tasks")):
        yield "tasks", list(map(_short, tasks))
    if baselines := _baselines(first, _tables(sweep, "baselines")):
        yield "baselines", list(map(_short, baselines))
    if first.arm.twin:
        yield "twins", False


def _tables(sweep: Mapping[str, Any], key: str) -> list[Table]:
    """The sweep's entries for plugins."""
    told = sweep.get(key, [])
    entries = told if isinstance(told, list) else [told]
    tables = [{"name": own} if isinstance(own, str) else own for own in entries]
    return [table for table in tables if isinstance(table, dict)]


def _baselines(record: Facts, tables: Sequence[Table]) -> list[Table]:
    """The entries that have the record's arm, or the arm under whose contract it is a twin.

    A twin that has no entry is told with its fields.
    """
    (name, values), label = plugin_of(record, "baseline"), record.arm.baseline
    _, _, contracted = label.partition(" as ")
    if contracted:
        return _agreeing(contracted, values, tables)
    unusual = [key for key in values if f"[{key}=" in label or f",{key}=" in label]
    found = [one for one in _agreeing(name, values, tables) if set(unusual) <= one.keys()]
    if record.arm.strategy == "control":
        return [_scheduled(record, entry, values, tables) for entry in found]
    return found or ([{"name": name, **values}] if name and record.arm.twin is None else [])


def _agreeing(name: str, values: Mapping[str, Any], tables: Sequence[Table]) -> list[Table]:
    """The entries of a plugin whose fields can have such values, each axis at its value."""

    def agrees(key: str, told: Any) -> bool:
        known = key in values and not isinstance(told, Mapping)
        return not known or told == values[key] or _has(told, values[key])

    def fixed(key: str, told: Any) -> Any:
        axis = key in values and told != values[key] and _has(told, values[key])
        return [values[key]] if axis else told

    return [
        {key: fixed(key, told) for key, told in table.items()}
        for table in tables
        if table.get("name") == name and all(agrees(*field) for field in table.items())
    ]


def _short(table: Table) -> Table | str:
    return table["name"] if list(table) == ["name"] else table


def _has(told: Any, value: Any) -> bool:
    return isinstance(told, list) and value in told


def _scheduled(
    record: Facts, entry: Table, values: Mapping[str, Any], tables: Sequence[Table]
) -> Table:
    """A control's entry with the schedule that its donor has by an entry of its own, if any."""
    donors = [table for table in tables if table["name"] == values.get("of")]
    keys = {key for table in donors for key in table.get("pretraining", {})}
    schedule = record.cell.get("pretraining") or {}
    own = {key: schedule[key] for key in sorted(keys & schedule.keys())}
    return {**entry, "pretraining": {**own, **entry.get("pretraining", {})}} if own else entry
