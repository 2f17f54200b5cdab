"""A sweep as a file says it: read with overrides, each broken rule explained, and written."""

import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from voxbench.design.active import Active
from voxbench.design.recipe import Pretraining
from voxbench.design.recipe_table import RecipeTable
from voxbench.design.spec import Sweep
from voxbench.design.toml import parse_toml, read_toml, unusable, written
from voxbench.design.tuning import Tuning
from voxbench.design.uncertainty import Uncertainty
from voxbench.errors import SpecError, unknown


def read_sweep(path: Path, overrides: Sequence[str] = ()) -> Sweep:
    """Read a sweep file and apply `key=value` overrides (dotted keys, TOML values).

    Raises:
        SpecError: the file is missing, no TOML, or breaks a rule.
    """
    table = read_toml(path)
    for override in overrides:
        _override(table, override)
    return parse_sweep(table, origin=str(path))


def parse_sweep(table: Mapping[str, object], origin: str = "sweep") -> Sweep:
    """Validate a sweep given as a mapping.

    Raises:
        SpecError: one line a broken rule: the key, the rule, the value, the nearest valid name.
    """
    if refused := list(unusable(table)):
        raise SpecError(f"{origin}: " + "\n".join(refused))
    try:
        return Sweep.model_validate(dict(table))
    except SpecError as error:
        raise SpecError(f"{origin}: {error}") from None
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors() if not _follows(item)]
        raise SpecError(f"{origin}: " + "\n".join(lines)) from None


def written_sweep(sweep: Sweep) -> str:
    """A sweep as the text of a file that gives it again, but for its engines.

    Raises:
        SpecError: it has a value that no file can say.
    """
    table = sweep.model_dump(mode="json", exclude_unset=True, exclude={"engine"})
    table["fractions"] = [str(one) if one.share is None else one.share for one in sweep.fractions]
    table["recipe"] = sweep.recipe.as_written
    text = "".join(f"{key} = {written(value)}\n" for key, value in table.items())
    if parse_sweep(parse_toml(text, sweep.name)) != sweep.model_copy(update={"engine": {}}):
        raise SpecError(f"{sweep.name}: has values that can't be written to a file for others.")
    return text


def parse_override(text: str, option: str = "--set") -> tuple[str, object]:
    """Split `key=value`; the value is TOML, or a plain word.

    Raises:
        SpecError: there is no key or no `=`.
    """
    key, found, value = text.partition("=")
    if not found or not key.strip():
        raise SpecError(f"{option} {text!r}: write key=value, for instance recipe.steps=100.")
    try:
        return key.strip(), parse_toml(f"value = {value}", option)["value"]
    except SpecError:
        return key.strip(), value.strip()


def _override(table: dict[str, object], override: str) -> None:
    key, value = parse_override(override)
    *parents, last = key.split(".")
    for parent in parents:
        inner = table.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise SpecError(f"--set {override!r}: {parent!r} is not a table.")
        table = inner
    table[last] = value


def _follows(item: ErrorDetails) -> bool:
    """A list is too short only for what was told of its items before."""
    return item["type"] == "too_short" and item["ctx"]["actual_length"] < len(item["input"])


def _explain(item: ErrorDetails) -> str:
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        models: dict[str, type[BaseModel]] = {
            "recipe": RecipeTable, "pretraining": Pretraining, "tuning": Tuning,
            "uncertainty": Uncertainty, "active": Active,
        }  # fmt: skip
        model = models.get(str(item["loc"][0]), Sweep)
        return f"{unknown('key', str(item['loc'][-1]), model.model_fields)} (at {key})"
    message = str(item["msg"]).removeprefix("Value error, ")
    told = item["type"] in {"missing", "value_error"}
    where = f"{key}: " if key else ""
    return f"{where}{message}" + ("" if told else f", got {reprlib.repr(item['input'])}")
