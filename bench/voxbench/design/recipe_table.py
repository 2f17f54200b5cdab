"""The table `[recipe]` of a sweep: the recipe of all tasks, and what is another on some of them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Self, TypeVar

from pydantic import PrivateAttr, ValidationError, model_validator

from voxbench.design.named_recipes import NAMED, Name
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Recipe, over
from voxbench.errors import SpecError, first_rule, unknown

PLANNABLE = ("patch", "batch", "spacing")
_PLAN = "plan"
Table = TypeVar("Table", bound="RecipeTable")


class TaskRecipe(NamedTuple):
    """A recipe on a task.

    Attributes:
        recipe: with planned values as if they were written.
        planned: which of them were planned, and from what, in words; "" where none was.
    """

    recipe: Recipe
    planned: str = ""

    def grid(self, contract: Preprocessing | None, own: Preprocessing) -> Preprocessing:
        """Of an arm: its contract's, else the recipe's, else the task's own."""
        if contract or self.recipe.spacing is None:
            return contract or own
        return own.model_copy(update={"spacing_mm": self.recipe.spacing})


class RecipeTable(Recipe):
    """Fine-tuning: the same for every arm of a task.

    A table `[recipe.TASK]` overrides keys on one task, by the name of its plugin or its title.

    Attributes:
        name: of a recipe that others state, whose values the other keys override.
        steps: optimiser steps; a list is an axis of the sweep.
        batch: patches a step, or `"plan"`: from the training cases, as nnU-Net does.
        patch: voxels of a patch along each axis, or `"plan"`.
        spacing: voxel size in mm of the grid that networks work on, in place of the task's own, or
            `"plan"`; an arm whose weights demand a grid, and its twin, keep that.
    """

    name: Name | None = None
    _axis: tuple[int, ...] = PrivateAttr(())
    _planned: tuple[str, ...] = PrivateAttr(())
    _tasks: dict[str, "RecipeTable"] = PrivateAttr({})

    @model_validator(mode="wrap")
    @classmethod
    def _as_written(cls, table: Any, handler: Callable[[Any], Self]) -> Self:
        """Take apart what a plain recipe does not know: names, plans, axes and tasks."""
        if isinstance(table, cls):
            return table
        if isinstance(table, Recipe):
            table = {key: getattr(table, key) for key in type(table).model_fields}
        if isinstance(table, str):
            table = {"name": table}
        if not isinstance(table, Mapping):
            return handler(table)
        by_task = {key: value for key, value in table.items() if _is_task(key, value)}
        common = _named({key: value for key, value in table.items() if key not in by_task})
        made = _made(common, handler)
        made._tasks = {task: _on_task(cls, common, task, own) for task, own in by_task.items()}
        return made

    @property
    def tables(self) -> "Iterator[RecipeTable]":
        """This one, and those of single tasks."""
        yield self
        yield from self._tasks.values()

    @property
    def axis(self) -> tuple[int, ...]:
        """The values of `steps`."""
        return self._axis

    @property
    def planned(self) -> tuple[str, ...]:
        """The keys that are to be planned; here they still have their defaults."""
        return self._planned

    @property
    def as_written(self) -> dict[str, Any]:
        """A table that gives this one again."""
        own = self.model_dump(mode="json", exclude_unset=True)
        own |= {"steps": [*self._axis]} if len(self._axis) > 1 else {}
        own |= dict.fromkeys(self._planned, _PLAN)
        return own | {task: table.as_written for task, table in self._tasks.items()}

    def on(self, *names: str) -> "RecipeTable":
        """The table of a task, by the first of its names that has one; else this one."""
        return next((self._tasks[name] for name in names if name in self._tasks), self)

    def check_tasks(self, names: set[str]) -> None:
        """Refuse a table of a task that the sweep does not have.

        Raises:
            SpecError: there is one.
        """
        for name in self._tasks:
            if name not in names:
                raise SpecError(f"recipe.{name}: {unknown('task', name, names)}")

    def recipes(self, **planned: Any) -> list[Recipe]:
        """A plain recipe for each value of `steps`, with the values that were planned."""
        own = {key: getattr(self, key) for key in Recipe.model_fields} | planned
        return [Recipe(**{**own, "steps": steps}) for steps in self._axis]


def _is_task(key: str, value: object) -> bool:
    return isinstance(value, Mapping) and key not in RecipeTable.model_fields


def _named(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table over the values of the recipe that it names."""
    named = NAMED.get(str(table.get("name")))
    return over(named() if named else {}, table)


def _made(table: Mapping[str, Any], handler: Callable[[Any], Table]) -> Table:
    planned = tuple(key for key in PLANNABLE if table.get(key) == _PLAN)
    plain = {key: value for key, value in table.items() if key not in planned}
    axis = plain["steps"] if isinstance(plain.get("steps"), list | tuple) else None
    if axis is not None and (not axis or len(set(map(repr, axis))) < len(axis)):
        raise ValueError(f"steps: {list(axis)} is empty or names a value twice")
    each = [handler({**plain, "steps": one}) for one in axis or ()] or [handler(plain)]
    made = each[0]
    made._axis, made._planned = tuple(one.steps for one in each), planned
    return made


def _on_task(
    cls: type[RecipeTable], common: Mapping[str, Any], task: str, own: Mapping[str, Any]
) -> RecipeTable:
    for key, value in own.items():
        if key not in cls.model_fields:
            raise SpecError(f"recipe.{task}: {unknown('key', key, cls.model_fields)}")
        if isinstance(value, Mapping):
            raise SpecError(f"recipe.{task}.{key}: is a table, where a value is meant.")
    try:
        return cls.model_validate(over(common, _named(own)))
    except ValidationError as error:
        raise SpecError(f"recipe.{task}: {first_rule(error)}.") from None
