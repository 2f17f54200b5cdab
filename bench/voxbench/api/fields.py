"""Fields that a plugin gained after its first results were stored."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

V = TypeVar("V")


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


def identity(plugin: Any, values: Mapping[str, Any]) -> dict[str, Any]:
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
