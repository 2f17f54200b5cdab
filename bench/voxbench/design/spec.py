"""A sweep as it is written: TOML, Python or overrides, strictly validated."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from voxbench.design.cell import Adaptation
from voxbench.design.fraction import Fraction
from voxbench.design.recipe import Pretraining, Recipe
from voxbench.errors import SpecError, unknown


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _counted(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return list(range(value))
    return value


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _fraction(value: object) -> Fraction:
    return value if isinstance(value, Fraction) else Fraction.parse(value)


class Entry(BaseModel):
    """A plugin of the sweep: its name, and its fields as further keys (a list is an axis).

    Attributes:
        name: of the plugin, as `voxbench ls` tells it.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str

    @property
    def fields(self) -> dict[str, object]:
        """The further keys."""
        return dict(self.__pydantic_extra__ or {})


Named = Annotated[Entry, BeforeValidator(_named)]
Share = Annotated[Fraction, BeforeValidator(_fraction)]
Axis = Annotated[tuple[Annotated[int, Field(ge=0)], ...], BeforeValidator(_counted)]


class Sweep(BaseModel):
    """Tasks × baselines × fractions × draws × seeds × adaptation, under one recipe.

    Attributes:
        name: of the sweep, for tables.
        tasks: names, or tables with the task's fields (`root`, …).
        baselines: names, or tables with the baseline's axes, each a value or a list.
        sources: name → table, what `source = …` of a baseline may refer to besides task names.
        fractions: shares in (0, 1], `"10%"` or `"5 shots"`.
        draws: a count or a list; each draws other training cases, nested over the fractions.
        seeds: a count or a list.
        adaptation: full, frozen, warmup, layerwise or direct (the published head, not trained: one
            cell a task and arm); one or a list.
        twins: add the scratch twin of every pre-trained arm.
        recipe: how every arm is trained.
        pretraining: how weights are made that are made here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    tasks: Annotated[tuple[Named, ...], BeforeValidator(_listed)] = Field(min_length=1)
    baselines: Annotated[tuple[Named, ...], BeforeValidator(_listed)] = Field(min_length=1)
    sources: dict[str, Named] = {}
    fractions: Annotated[tuple[Share, ...], BeforeValidator(_listed)] = (Fraction(share=1.0),)
    draws: Axis = (0,)
    seeds: Axis = (0, 1, 2)
    adaptation: Annotated[tuple[Adaptation, ...], BeforeValidator(_listed)] = ("full",)
    twins: bool = True
    recipe: Recipe = Recipe()
    pretraining: Pretraining = Pretraining()

    @field_validator("fractions", "draws", "seeds", "adaptation", "tasks", "baselines")
    @classmethod
    def _distinct(cls, values: Sequence[object]) -> Sequence[object]:
        if not values:
            raise ValueError("needs at least one value")
        repeated = [str(value) for i, value in enumerate(values) if value in values[:i]]
        if repeated:
            raise ValueError(f"named twice: {', '.join(repeated)}; leave one")
        return values


def read_sweep(path: Path, overrides: Sequence[str] = ()) -> Sweep:
    """Read a sweep file and apply `key=value` overrides (dotted keys, TOML values).

    Raises:
        SpecError: the file is missing, no TOML, or breaks a rule.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: can't be read ({error}).") from error
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path}: not valid TOML: {error}.") from error
    for override in overrides:
        _override(table, override)
    return parse_sweep(table, origin=str(path))


def parse_sweep(table: Mapping[str, object], origin: str = "sweep") -> Sweep:
    """Validate a sweep given as a mapping.

    Raises:
        SpecError: one line a broken rule: the key, the rule, the value, the nearest valid name.
    """
    try:
        return Sweep.model_validate(dict(table))
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors()]
        raise SpecError(f"{origin}: " + "\n".join(lines)) from None


def parse_override(text: str, option: str = "--set") -> tuple[str, object]:
    """Split `key=value`; the value is TOML, or a plain word.

    Raises:
        SpecError: there is no key or no `=`.
    """
    key, found, value = text.partition("=")
    if not found or not key.strip():
        raise SpecError(f"{option} {text!r}: write key=value, for instance recipe.steps=100.")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
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


def _explain(item: ErrorDetails) -> str:
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        models: dict[str, type[BaseModel]] = {"recipe": Recipe, "pretraining": Pretraining}
        model = models.get(str(item["loc"][0]), Sweep)
        return f"{unknown('key', str(item['loc'][-1]), model.model_fields)} (at {key})"
    message = str(item["msg"]).removeprefix("Value error, ")
    told = item["type"] in {"missing", "value_error"}
    return f"{key}: {message}" + ("" if told else f", got {item['input']!r}")
