"""Tuning: the parameters that are tried for every arm alike, and what was chosen of them."""

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)

from voxbench.design.recipe import Recipe, deciding
from voxbench.errors import first_rule, unknown

TRAINED = ("full", "frozen", "warmup", "layerwise")
"""The adaptations that train something."""

Value = str | int | float | bool
ADAPTATION = "adaptation"
_RECIPE = "recipe."
_BUDGET = {
    "steps", "batch", "patch", "spacing", "devices", "micro_batch", "compile", "channels_last"
}  # fmt: skip
"""Keys of the recipe that decide what a trial costs, which is the same for all arms."""
_CHECKED = 4096  # combinations of the ends of ranges and of choices


class Range(BaseModel):
    """Numbers between two ends, both included.

    Attributes:
        low: the smallest.
        high: the largest.
        log: drawn evenly on a logarithmic scale.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got low {self.low:g}, high {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be above 0 on a logarithmic scale, got {self.low:g}")
        return self

    def place(self, value: float) -> float:
        """Where a value lies, 0 at `low` and 1 at `high`, on the scale that it is drawn on."""
        low, high, at = (math.log(x) if self.log else x for x in (self.low, self.high, value))
        return (at - low) / (high - low)


Choices = tuple[Value, ...]
Parameter = Range | Choices


class Tuning(BaseModel):
    """What is tried for every arm and its twin alike, and judged by validation cases alone.

    Attributes:
        trials: of each study; one that is pruned or diverges counts.
        scope: a study for each fraction of a task and arm; or for a task and arm, at the smallest
            fraction of the sweep, so that no fraction chooses by more labels than it has.
        sampler: tpe learns from earlier trials; random draws, and grid takes in a random order,
            the same values for every arm.
        pruner: stops trials early: median, that score below the median of earlier ones at the same
            step; hyperband, the worse two of three, at several paces.
        seed: of the sampler; the same for every arm.
        space: parameter → a list of choices, or { low, high, log } of a number. Parameters are
            `recipe.KEY` and `adaptation`; not steps, patch and batch, which decide what a trial
            costs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    trials: int = Field(default=20, ge=1, le=10_000)
    scope: Literal["fraction", "task"] = "fraction"
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    pruner: Literal["none", "median", "hyperband"] = "none"
    seed: int = Field(default=0, ge=0)
    space: dict[str, Parameter]

    @field_validator("space", mode="before")
    @classmethod
    def _named(cls, told: Any) -> Any:
        if not isinstance(told, Mapping):
            raise ValueError("a table of parameters, each a list or { low, high, log }")
        space = dict(_flat(told))
        if not space:
            raise ValueError("needs at least one parameter")
        return {name: _parameter(name, value) for name, value in space.items()}

    @model_validator(mode="after")
    def _enough_points(self) -> Self:
        if self.sampler != "grid":
            return self
        for name, parameter in self.space.items():
            if isinstance(parameter, Range):
                raise ValueError(f"space.{name}: a grid needs a list of values, not a range")
        if self.trials > (points := len(self.grid())):
            raise ValueError(f"trials: at most the {points} points of the grid, got {self.trials}")
        return self

    @property
    def told(self) -> dict[str, Any]:
        """All that decides which values are tried, as JSON; how many is left out."""
        return self.model_dump(mode="json", exclude={"trials"})

    def grid(self) -> list[dict[str, Value]]:
        """Every point of a space of lists, in the order in which a grid takes them."""
        choices = [own for own in self.space.values() if not isinstance(own, Range)]
        points = [
            dict(zip(self.space, point, strict=True)) for point in itertools.product(*choices)
        ]
        random.Random(self.seed).shuffle(points)  # noqa: S311 (a reproducible order, no secret)
        return points

    def corners(self) -> Iterator[dict[str, Value]]:
        """Combinations of the ends of ranges and of choices."""
        ends = [
            (_end(name, own.low), _end(name, own.high)) if isinstance(own, Range) else own
            for name, own in self.space.items()
        ]
        for point in itertools.islice(itertools.product(*ends), _CHECKED):
            yield dict(zip(self.space, point, strict=True))

    def check(self, recipe: Recipe) -> None:
        """See whether a recipe can have the values.

        Raises:
            ValueError: it can't; names the first that it can't.
        """
        for point in self.corners():
            try:
                with_values(recipe, point)
            except ValidationError as error:
                raise ValueError(f"space.{_RECIPE}{first_rule(error)}, got {point}") from None


def _flat(told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The parameters; `recipe` may be a table of its own."""
    for name, value in told.items():
        if name == _RECIPE[:-1] and isinstance(value, Mapping):
            yield from ((f"{_RECIPE}{key}", own) for key, own in value.items())
        else:
            yield name, value


def _parameter(name: str, value: Any) -> Parameter:
    """A parameter of the space.

    Raises:
        ValueError: there is none of that name, or it can't have these values.
    """
    key = name.removeprefix(_RECIPE)
    known = {ADAPTATION, *(f"{_RECIPE}{own}" for own in Recipe.model_fields if own not in _BUDGET)}
    if name.startswith(_RECIPE) and key in _BUDGET:
        raise ValueError(f"{name}: decides what a trial costs, which is the same for every arm")
    if name not in known:
        raise ValueError(f"{name}: {unknown('parameter', name, known)}")
    if isinstance(value, Mapping):
        return _range(name, value)
    return _choices(name, value)


def _range(name: str, value: Mapping[str, Any]) -> Range:
    try:
        return Range.model_validate(dict(value))
    except ValidationError as error:
        kinds = {item["type"] for item in error.errors()}
        told = f", got {dict(value)}" if kinds != {"value_error"} else ""
        raise ValueError(f"{name}: {first_rule(error)}{told}") from None


def _choices(name: str, value: Any) -> Choices:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{name}: a list of values or {{ low, high, log }}, got {value!r}")
    if not value:
        raise ValueError(f"{name}: needs at least one value")
    for own in value:
        if not isinstance(own, Value):
            raise ValueError(f"{name}: a list of numbers, words or booleans, got {own!r}")
        if name == ADAPTATION and own not in TRAINED:
            raise ValueError(f"{name}: {unknown('adaptation to tune', str(own), TRAINED)}")
    if len({repr(own) for own in value}) < len(value):
        raise ValueError(f"{name}: names a value twice: {list(value)}")
    return tuple(value)


def with_values(recipe: Recipe, values: Mapping[str, Value]) -> Recipe:
    """A recipe with the values of a trial, of which `adaptation` is none of its own.

    Raises:
        ValidationError: it can't have them.
    """
    own = {k.removeprefix(_RECIPE): v for k, v in values.items() if k.startswith(_RECIPE)}
    return Recipe.model_validate({**{k: getattr(recipe, k) for k in Recipe.model_fields}, **own})


def is_whole(name: str) -> bool:
    """Whether a parameter counts in whole numbers."""
    field = Recipe.model_fields.get(name.removeprefix(_RECIPE))
    return field is not None and field.annotation is int


def _end(name: str, value: float) -> float:
    return int(value) if is_whole(name) and value.is_integer() else value


def _paired(value: object) -> object:
    return tuple(sorted(value.items())) if isinstance(value, Mapping) else value


Values = Annotated[
    tuple[tuple[str, Value], ...],
    BeforeValidator(_paired),
    PlainSerializer(dict[str, Value]),
]
"""Parameter → value, as pairs, so that what holds them can be hashed."""


class Tuned(BaseModel):
    """What a cell was trained with that was chosen for its arm, and by which study.

    Attributes:
        study: key of the study.
        tuning: digest of the table `[tuning]`, which an arm and its twin share.
        trials: that the values are the best of.
        values: parameter → chosen value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    study: str
    tuning: str
    trials: int = Field(ge=1)
    values: Values


def adapted(adaptation: str, values: Mapping[str, Value]) -> str:
    """What tables call the adaptation of cells that train with chosen values."""
    return "tuned" if ADAPTATION in values else f"{adaptation}, tuned"


def shared_recipe(cell: Mapping[str, Any]) -> Any:
    """What a recorded cell's recipe has in common with the cells that it is compared with.

    Without the values that were chosen for its arm, with how they were chosen; of a cell that was
    not tuned, its recipe.
    """
    recipe, tuned = cell.get("recipe"), cell.get("tuned")
    recipe = deciding(recipe) if isinstance(recipe, Mapping) else recipe
    if not tuned:
        return recipe
    chosen = {name.removeprefix(_RECIPE) for name in tuned["values"]}
    kept = {name: value for name, value in recipe.items() if name not in chosen} if recipe else {}
    return {**kept, "tuning": tuned["tuning"], "trials": tuned["trials"]}


def described(values: Mapping[str, Value]) -> str:
    """Values of a trial on one line, as `learning_rate 0.003, adaptation full`."""
    return ", ".join(
        f"{name.removeprefix(_RECIPE)} {value:.3g}"
        if isinstance(value, float)
        else f"{name.removeprefix(_RECIPE)} {value}"
        for name, value in values.items()
    )
