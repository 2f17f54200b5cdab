"""The fields of a plugin: what a sweep may set, and what names a result."""

import dataclasses
import inspect
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

V = TypeVar("V")


class PluginField(NamedTuple):
    """A field that a sweep may set.

    Attributes:
        name: its key in the plugin's table.
        type: as it is annotated.
        required: that it has no default.
        default: what it is if it isn't set.
        purpose: what the plugin's docstring says of it; empty where it says nothing.
    """

    name: str
    type: str
    required: bool
    default: object
    purpose: str


def added(default: V) -> V:
    """A dataclass field that names nothing while it has its default.

    Keys of cells and of weights hash a plugin's fields. A field declared with `= added(value)`
    enters only where it differs from that value, so that what was stored before there was such
    a field is still found.

    Args:
        default: what the plugin did before; it must never change again.
    """
    field: V = dataclasses.field(default=default, metadata={"added": True})
    return field


def identifying(plugin: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a plugin's fields without the added ones that have their default.

    Args:
        plugin: a dataclass, or an instance of one.
        values: of its fields, by name.
    """
    silent = {
        field.name: field.default
        for field in dataclasses.fields(plugin)
        if field.metadata.get("added")
    }
    return {
        name: value for name, value in values.items() if name not in silent or value != silent[name]
    }


def settable_fields(plugin: type[Any]) -> list[PluginField]:
    """The fields of a plugin's class."""
    purposes = told_attributes(plugin)
    return [
        PluginField(
            name=field.name,
            type=_written(field.type),
            required=field.default is field.default_factory is dataclasses.MISSING,
            default=None if field.default is dataclasses.MISSING else field.default,
            purpose=purposes.get(field.name, ""),
        )
        for field in dataclasses.fields(plugin)
        if field.init
    ]


def told_attributes(kind: type[Any]) -> dict[str, str]:
    """Attribute → what it is for: `Attributes:` in a class's docstring and in those it inherits."""
    told: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        told |= _attributes(base.__doc__ or "")
    return told


def _written(annotation: object) -> str:
    if isinstance(annotation, str):
        return annotation
    return inspect.formatannotation(annotation, base_module="pathlib")


def _attributes(docstring: str) -> dict[str, str]:
    """Name → text, from a docstring in Google's style."""
    section = inspect.cleandoc(docstring).partition("Attributes:\n")[2]
    entries: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if line.strip() and not line.startswith(" "):
            break  # another section
        if entry := re.match(r" {4}(\w+): (.*)", line):
            name, entries[entry[1]] = entry[1], entry[2]
        elif name and line.strip():
            entries[name] += f" {line.strip()}"
    return entries
