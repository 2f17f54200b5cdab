"""What keeps records apart that must not be averaged or compared, as digests and in words."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from voxbench.analyses.groups import Where
from voxbench.analyses.table import DASH, Column, Table
from voxbench.design.cell import digest
from voxbench.design.recipe import deciding
from voxbench.design.tuning import shared_recipe
from voxbench.records import Facts

Kind = TypeVar("Kind", bound=Facts)


def settings(records: Sequence[Facts]) -> dict[str, str]:
    """Key → digest of all that must be equal between compared records.

    A failed cell may have died before its data were known: it joins the finished cells of its
    task and recipe.
    """
    finished: dict[str, str] = {}
    joined: dict[tuple[str, str, str], str] = {}
    for record in records:
        if record.data:
            same = [record.data.fingerprint, record.data.split_sha256, record.metrics_version]
            same += [record.external.fingerprint] if record.external else []
            finished[record.key] = digest([recipe_of(record), same])[:6]
            if record.status == "ok":
                joined.setdefault(_cells_of(record), finished[record.key])
    return {
        record.key: finished[record.key]
        if record.status == "ok"
        else joined.get(_cells_of(record), recipe_of(record)[:6])
        for record in records
    }


def _cells_of(record: Facts) -> tuple[str, str, str]:
    test = record.external.name if record.external else ""
    return record.arm.task, test, recipe_of(record)


def by_recipe(records: Iterable[Kind]) -> dict[str, list[Kind]]:
    """Digest of recipe, limit and smoke → its records: no others are ever ranked together.

    Imported ones have no recipe: they are ranked wherever their task was run at their fraction.
    """
    found: dict[str, list[Kind]] = defaultdict(list)
    imported = []
    for record in records:
        if record.imported:
            imported.append(record)
        else:
            found[recipe_of(record)[:6]].append(record)
    ran = {recipe: {_place(r) for r in own if not r.smoke} for recipe, own in found.items()}
    for record in imported:
        beside = [recipe for recipe, places in ran.items() if _place(record) in places]
        for recipe in beside or [recipe_of(record)[:6]]:
            found[recipe].append(record)
    return dict(found)


def _place(record: Facts) -> tuple[str, str]:
    return record.arm.task, record.arm.fraction


def recipe_of(record: Facts) -> str:
    """A digest of recipe, limit and smoke; how values were chosen stands for those of an arm."""
    return digest([shared_recipe(record.cell), record.cell.get("limit"), record.smoke])


def steps_of(record: Facts) -> int:
    """Of its recipe; 0 where there is none."""
    steps = _recipe(record).get("steps")
    return steps if isinstance(steps, int) else 0


def all_but_steps(record: Facts) -> str:
    """A digest of what two trainings share that differ in nothing but their steps."""
    recipe = {key: value for key, value in _recipe(record).items() if key != "steps"}
    data = record.data and [record.data.fingerprint, record.data.split_sha256]
    same = [data, record.metrics_version, record.cell.get("limit"), record.smoke]
    return digest([recipe, _weights_of(record), same])


def _recipe(record: Facts) -> Mapping[str, Any]:
    recipe = shared_recipe(record.cell)
    return recipe if isinstance(recipe, Mapping) else {}


def suffixes(records: Sequence[Facts]) -> dict[str, str]:
    """Key → what tells apart arms under one label, as after a change of the pre-training."""
    variants = {record.key: digest(_weights_of(record))[:4] for record in records}
    seen = defaultdict(set)
    for record in records:
        seen[record.arm.task, record.arm.baseline].add(variants[record.key])
    return {
        r.key: f"#{variants[r.key]}" if len(seen[r.arm.task, r.arm.baseline]) > 1 else ""
        for r in records
    }


def _weights_of(record: Facts) -> list[Any]:
    """What a training begins with, and how it was made."""
    return [_told(record, name) for name in ("baseline", "source", "pretraining", "contract")]


def setting_words(
    members: Mapping[tuple[Where, str], Sequence[Facts]],
) -> dict[tuple[str, str], str]:
    """(task, setting) → the fields in which it differs from the task's other settings.

    Empty for the only setting of a task; settings that no field tells apart have their digests too.
    """
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for (where, _), own in members.items():
        if where.setting not in found[where.task] or own[0].data:
            found[where.task][where.setting] = _fields(own[0])
    told: dict[tuple[str, str], str] = {}
    for task, settings in found.items():
        words = {s: _words(s, fields, list(settings.values())) for s, fields in settings.items()}
        alike = Counter(words.values())
        told |= {(task, s): f"{own} ({s})" if alike[own] > 1 else own for s, own in words.items()}
    return told


def with_recipes(table: Table, recipes: Mapping[tuple[str, str], str]) -> Table:
    """The table with its settings in words instead of digests.

    Args:
        table: with a task and a setting in each row.
        recipes: (task, setting) → words.
    """
    named = Column("recipe", ("task", "setting"), lambda *key: recipes[key] or DASH)
    columns = [named if column.title == "setting" else column for column in table.columns]
    return table._replace(columns=columns)


def _told(record: Facts, name: str) -> Any:
    """A field of the cell; of a schedule, what decides results."""
    told = record.cell.get(name)
    return deciding(told) if name in {"recipe", "pretraining"} and isinstance(told, dict) else told


def _fields(record: Facts) -> dict[str, Any]:
    fields = dict(_recipe(record))
    fields.pop("tuning", None)  # a digest: that an arm was tuned is told beside
    fields |= {"limit": record.cell.get("limit"), "smoke": record.smoke}
    if record.data:
        fields |= {"data": record.data.fingerprint[:6], "split": record.data.split_sha256[:6]}
    if fold := record.cell.get("fold"):
        fields["folds"] = fold["of"]
    return fields | {"metrics": record.metrics_version}


def _words(setting: str, fields: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    """The fewest fields that tell it from the others, those that tell it from most first."""
    if len(others) == 1:
        return ""
    alike, telling = [other for other in others if other != fields], set()
    while alike:
        apart = {name: sum(other.get(name) != fields[name] for other in alike) for name in fields}
        name = max(apart, key=lambda one: apart[one])
        if not apart[name]:  # the others have fields that it has not
            break
        telling.add(name)
        alike = [other for other in alike if other.get(name) == fields[name]]
    return ", ".join(_field(name, fields[name]) for name in fields if name in telling) or setting


def _field(name: str, value: object) -> str:
    """`500 steps`, `loss dice_ce`."""
    return f"{value} {name}" if name in {"steps", "trials"} else f"{name.replace('_', ' ')} {value}"
