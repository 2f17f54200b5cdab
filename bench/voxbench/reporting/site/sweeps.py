"""Commands that make records again: of a sweep, and of the cells of one result."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from voxbench.design.toml import read_toml, written
from voxbench.errors import SpecError
from voxbench.records import Facts
from voxbench.reporting.site.material import ArmResult, Material


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
    taken from the sweep's file, and left as it is where that says too little.
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
    for key, part in (("tasks", "task"), ("baselines", "baseline")):
        entry = _entry(first, part, sweep.get(key, []))
        if entry:
            yield key, [entry]


def _entry(record: Facts, part: str, entries: Any) -> Any:
    """The only entry of the sweep for the record's plugin, each axis at the record's value."""
    found = record.cell.get(part)
    if not (isinstance(found, list) and len(found) == 2 and isinstance(entries, list)):
        return None
    name, values = found
    tables = [{"name": own} if isinstance(own, str) else own for own in entries]
    own = [table for table in tables if isinstance(table, dict) and table.get("name") == name]
    if len(own) != 1 or (record.arm.strategy == "control" and part == "baseline"):
        return None
    fixed = {k: values[k] if isinstance(v, list) and k in values else v for k, v in own[0].items()}
    return fixed["name"] if list(fixed) == ["name"] else fixed
