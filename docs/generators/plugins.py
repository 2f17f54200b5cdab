"""Tasks, baselines and architectures as their cards and code tell them."""

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from voxbench.analyses.table import Table
from voxbench.api import Baseline, BaselineCard, Pretrained, Published, Task, TaskCard
from voxbench.fields import settable_fields, told_attributes
from voxbench.plugins import BASELINES, TASKS, find_task
from voxbench.reporting.printer import pipe_table
from voxbench_tasks.release import Release

from docs.generators.models import keys
from docs.generators.releases import releases

OWNER = "voxbench"
_RELEASES = (
    "Read in the layout of their download, split as published. In patterns `{case}` stands for the "
    "id of a case and `{class}` for a class; volumes may be compressed or not. Cases whose errors "
    "are known are left out, and the record says which. TotalSegmentator has a field `group` more."
)
_WEIGHTS = {Published: "a file", Pretrained: "made here"}
_HOLDERS = {
    Baseline: "every baseline",
    Published: "weights that are a file",
    Pretrained: "weights that are made here",
}


def tasks() -> str:
    """Markdown: every built-in task that has a card of its own, then those that read folders."""
    rows, folders = [], []
    for name, task in _own(TASKS):
        if issubclass(task, Release):
            continue
        if card := _card(name, task):
            rows.append(_of_task(name, task, card))
        else:
            folders += [f"### `{name}`", _prose(task), _fields(task)]
    card = ["## What a card says", keys(TaskCard)]
    public = ["## Public data sets as released", _RELEASES, releases(), _fields(Release)]
    return "\n\n".join([_table(rows), *public, "## Folders without code", *folders, *card])


def baselines() -> str:
    """Markdown: a table of the built-in baselines, then each with its card and its fields."""
    found = dict(_own(BASELINES))
    parts = [_table(_of_baseline(name, one) for name, one in found.items())]
    for name, one in found.items():
        parts += [f"## `{name}`", _prose(one), _facts(one.card), _fields(one)]
    parts += ["## What a card says", keys(BaselineCard)]
    return "\n\n".join(part for part in parts if part)


def axes() -> str:
    """Markdown: every field of the built-in baselines, and which have it."""
    having: dict[tuple[str, str], list[str]] = {}
    for name, one in _own(BASELINES):
        for field in settable_fields(one):
            first = next(base for base in reversed(one.__mro__) if _declares(base, field.name))
            meaning = told_attributes(first)[field.name]
            names = having.setdefault((field.name, meaning), [])
            holder = _HOLDERS.get(first) or f"`{name}`"
            names += [holder] if holder not in names else []
    return _table(
        {"Field": f"`{field}`", "Meaning": meaning, "Of": ", ".join(names)}
        for (field, meaning), names in having.items()
    )


def undescribed() -> list[str]:
    """The fields of built-in tasks and baselines that no docstring tells of."""
    return [
        f"{name}.{field.name}"
        for registry in (TASKS, BASELINES)
        for name, one in _own(registry)
        for field in settable_fields(one)
        if not field.purpose
    ]


def _own(registry: Any) -> Iterator[tuple[str, type[Any]]]:
    for plugin, one in registry.each():
        if plugin.owner == OWNER:
            yield plugin.name, one


def _card(name: str, task: type[Task]) -> TaskCard | None:
    """The card, unless it is read from a folder."""
    placed = task.folder is not None or task.generated
    return find_task(name).card if placed else None


def _of_task(name: str, task: type[Task], card: TaskCard) -> Mapping[str, object]:
    return {
        "Task": f"`{name}`",
        "Modality": card.modality,
        "Channels": ", ".join(card.channels),
        "Classes (tolerance of NSD in mm)": ", ".join(
            f"{one} ({card.tolerance_mm[one]:g})" for one in card.classes
        ),
        "Grid in mm": _plain(card.spacing_mm),
        "Folder": f"`{task.folder}`" if task.folder else "generated",
        "Licence": card.licence,
    }


def _of_baseline(name: str, one: type[Baseline]) -> Mapping[str, object]:
    fields = {field.name: field.default for field in settable_fields(one)}
    network = " ".join(str(fields[key]) for key in ("architecture", "size") if key in fields)
    return {
        "Baseline": f"[`{name}`](#{name.replace('.', '')})",
        "Strategy": one.card.strategy,
        "Network": network,
        "Weights": next((told for base, told in _WEIGHTS.items() if issubclass(one, base)), "none"),
        "Licence": one.card.licence,
    }


def _facts(card: BaselineCard) -> str:
    """What a card says beside its name, where it says something."""
    return "\n".join(
        f"- {name}: {_plain(value)}"
        for name, value in card
        if name != "name" and value not in (None, (), "")
    )


def _fields(plugin: type[Any]) -> str:
    """A table of the fields that a sweep may set."""
    return _table(
        {
            "Field": f"`{field.name}`",
            "Default": "" if field.default is None else f"`{json.dumps(field.default)}`",
            "Meaning": field.purpose,
        }
        for field in settable_fields(plugin)
    )


def _prose(plugin: type[Any]) -> str:
    return (inspect.getdoc(plugin) or "").partition("Attributes:")[0].strip()


def _declares(base: type, name: str) -> bool:
    return name in getattr(base, "__annotations__", {})


def _plain(value: object) -> str:
    if isinstance(value, BaseModel):
        return f"`{value.model_dump_json(exclude_none=True)}`"
    if isinstance(value, tuple):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(rows: Any) -> str:
    return pipe_table(Table.plain(rows)).strip()
