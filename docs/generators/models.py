"""Tables of every key of a pydantic model and of the models below it."""

import inspect
import json
import types
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from voxbench.analyses.table import Table
from voxbench.fields import told_attributes
from voxbench.reporting.printer import pipe_table

_WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
_SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}


def toml(place: str, container: type | None) -> str:
    """The heading of a table of a TOML file."""
    if container is tuple:
        return f"[[{place}]]"
    return f"[{place}.NAME]" if container is dict else f"[{place}]"


def path(place: str, container: type | None) -> str:
    """Where a value lies in a JSON file."""
    return place + {None: "", tuple: "[]", list: "[]", dict: ".NAME"}[container]


def reference(model: type[BaseModel], heading: Callable[[str, type | None], str]) -> str:
    """Markdown: a table of the keys of a model, then of each model below it, under its place.

    Args:
        model: whose keys are told.
        heading: of a table, from its dotted place and what holds it: a tuple, a dict, or None.

    Raises:
        KeyError: a key has no description.
    """
    places: dict[type[BaseModel], list[str]] = {}
    for place, container, one in below(model, ""):
        places.setdefault(one, []).append(f"`{heading(place, container)}`")
    parts = [keys(model)]
    for one, found in places.items():
        parts += [f"### {', '.join(dict.fromkeys(found))}", _summary(one), keys(one)]
    return "\n\n".join(parts)


def keys(model: type[BaseModel]) -> str:
    """Markdown: name, values, default and meaning of every key of a model.

    Raises:
        KeyError: one has no description.
    """
    told = told_attributes(model)
    rows = [
        {
            "Key": f"`{name}`",
            "Value": _values(field),
            "Default": _default(field),
            "Meaning": told[name],
        }
        for name, field in model.model_fields.items()
    ]
    return pipe_table(Table.plain(rows)).strip()


def below(model: type[BaseModel], place: str) -> Iterator[tuple[str, type | None, type[BaseModel]]]:
    """Place, container and class of the models in a model, parents first."""
    for name, field in model.model_fields.items():
        for container, one in _models(field.annotation, None):
            where = f"{place}.{name}".lstrip(".")
            yield where, container, one
            yield from below(one, path(where, container))


def undescribed(model: type[BaseModel]) -> list[str]:
    """The keys, dotted, of a model and of those below it that no docstring tells of."""
    found = [("", None, model), *below(model, "")]
    return [
        f"{path(place, container)}.{name}".lstrip(".")
        for place, container, one in found
        for name in one.model_fields.keys() - told_attributes(one).keys()
    ]


def _summary(model: type[BaseModel]) -> str:
    return (inspect.getdoc(model) or "").partition("\n")[0]


def _models(
    annotation: Any, container: type | None
) -> Iterator[tuple[type | None, type[BaseModel]]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield container, annotation
        return
    origin = get_origin(annotation)
    for part in get_args(annotation):
        yield from _models(part, origin if origin in {tuple, list, dict} else container)


def _values(field: FieldInfo) -> str:
    limits = ", ".join(_limit(limit) for limit in field.metadata if _limit(limit))
    return f"{_spelled(field.annotation)}{f', {limits}' if limits else ''}"


def _spelled(annotation: Any) -> str:
    """A type in words."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        limits = [limit for part in parts[1:] for limit in getattr(part, "metadata", [part])]
        told = ", ".join(_limit(limit) for limit in limits if _limit(limit))
        return f"{_spelled(parts[0])}{f' {told}' if told else ''}"
    if origin is Literal:
        return " or ".join(f"`{json.dumps(part)}`" for part in parts)
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_spelled(part) for part in parts))
    if origin is dict:
        return f"table: {_spelled(parts[0])} → {_spelled(parts[1])}"
    if origin is list or (origin is tuple and parts[-1] is Ellipsis):
        return f"list: {_spelled(parts[0])}"
    if origin is tuple:
        return f"{len(parts)} × {_spelled(parts[0])}"
    if annotation is type(None):
        return "nothing"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return _WORDS.get(annotation) or getattr(annotation, "__name__", "any value").lower()


def _limit(limit: Any) -> str:
    for name, sign in _SIGNS.items():
        if hasattr(limit, name):
            return f"{sign} {getattr(limit, name):,}"
    if isinstance(limit, annotated_types.MinLen):
        return "not empty"
    return f"matches `{limit.pattern}`" if getattr(limit, "pattern", None) else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return ""
    if isinstance(value, BaseModel):
        return "its defaults"
    return f"`{json.dumps(value, default=str, ensure_ascii=False)}`"
