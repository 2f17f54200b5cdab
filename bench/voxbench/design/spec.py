"""A sweep: its axes, and what of them can't be together."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from voxbench.design.active import Active
from voxbench.design.cell import Adaptation
from voxbench.design.corpus import CorpusTables
from voxbench.design.entries import ExternalEntry, Named, NamedBaseline, NamedSource
from voxbench.design.fold import Fold, FoldAxis
from voxbench.design.fraction import Fraction
from voxbench.design.recipe import Pretraining
from voxbench.design.recipe_table import RecipeTable
from voxbench.design.tuning import Tuning
from voxbench.design.uncertainty import Uncertainty

_MOST_CELLS = 1_000_000


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _counted(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        if value > _MOST_CELLS:
            raise ValueError(f"at most {_MOST_CELLS:,}, got {value:,}")
        return list(range(value))
    return value


def _fraction(value: object) -> Fraction:
    return value if isinstance(value, Fraction) else Fraction.parse(value)


Share = Annotated[Fraction, BeforeValidator(_fraction)]
Axis = Annotated[tuple[Annotated[int, Field(ge=0, strict=True)], ...], BeforeValidator(_counted)]


class Sweep(BaseModel):
    """Tasks × baselines × fractions × draws × seeds × adaptation, under one recipe a task.

    Attributes:
        name: of the sweep, for tables.
        tasks: names, or tables with the task's fields (`root`, …).
        baselines: names, or tables with the baseline's axes, each a value or a list, and its own
            `pretraining`.
        sources: name → table, what `source = …` of a baseline may refer to besides task names;
            `source = { union = ["a", "b"] }` stands for a source `a+b` of this kind.
        corpora: name → table of a collection of images that no package registers: its `kind`, what
            it was taken from (`parents`), who says so (`source`). Tasks name those they hold.
        fractions: shares in (0, 1], `"10%"`, `"5 shots"`, or published lists of a task by name,
            `"suprem-64"`, which have one draw.
        draws: a count or a list; each draws other training cases, nested over the fractions.
        seeds: a count or a list.
        folds: cross-validation in place of the task's one split: a count, some of five as a list
            of numbers from 0, or `{ of = 10, only = [0, 1] }`. Every patient is tested on in one
            fold and never trained on in it; what a task publishes as its test part stays aside.
        adaptation: full, frozen, warmup, layerwise, direct (the weights' own head, not trained: one
            cell a task and arm) or direct-postprocessed (the same, its masks processed as its
            authors do); one or a list.
        twins: add the scratch twin of every pre-trained arm.
        tests: external test sets, which trained networks are scored on besides; each has its
            `task` (one of `tasks`), its `name` in tables, and its `data` (a task, or a table with
            its fields).
        recipe: how every arm is trained; `"nnunet"` is short for `{ name = "nnunet" }`.
        pretraining: how weights are made that are made here.
        engine: name of an engine → its fields, see `voxbench ls engines`; where it is run changes
            nothing of what is run.
        tuning: what is tried for every arm and its twin alike; each has its cells with the values
            that were best on validation cases, beside those by the recipe as it is.
        uncertainty: how finished cells predict again; the weights of the cells are kept for it.
        active: rounds of active learning that start from finished cells; as well.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    name: str = Field(min_length=1)
    tasks: Annotated[tuple[Named, ...], BeforeValidator(_listed)] = Field(min_length=1)
    baselines: Annotated[tuple[NamedBaseline, ...], BeforeValidator(_listed)] = Field(min_length=1)
    sources: dict[str, NamedSource] = {}
    corpora: CorpusTables = {}
    fractions: Annotated[tuple[Share, ...], BeforeValidator(_listed)] = (Fraction(share=1.0),)
    draws: Axis = (0,)
    seeds: Axis = (0, 1, 2)
    folds: FoldAxis = None
    adaptation: Annotated[tuple[Adaptation, ...], BeforeValidator(_listed)] = ("full",)
    twins: Annotated[bool, Field(strict=True)] = True
    tests: tuple[ExternalEntry, ...] = ()
    recipe: RecipeTable = RecipeTable()
    pretraining: Pretraining = Pretraining()
    engine: dict[str, dict[str, Any]] = {}
    tuning: Tuning | None = None
    uncertainty: Uncertainty | None = None
    active: Active | None = None

    @property
    def keeps_weights(self) -> bool:
        """Whether finished cells are asked for more than their scores."""
        return self.uncertainty is not None or self.active is not None

    @model_validator(mode="before")
    @classmethod
    def _unions(cls, table: Any) -> Any:
        """Name the unions that stand in the place of a source."""
        if not isinstance(table, Mapping) or not isinstance(table.get("baselines"), list | tuple):
            return table
        found: dict[str, object] = {}
        baselines = [_with_named_unions(entry, found) for entry in table["baselines"]]
        own = table.get("sources", {})
        sources = {**found, **own} if isinstance(own, Mapping) and found else own
        return {**table, "baselines": baselines, **({"sources": sources} if sources else {})}

    @field_validator("tests")
    @classmethod
    def _told_apart(cls, values: tuple[ExternalEntry, ...]) -> tuple[ExternalEntry, ...]:
        counts = Counter((value.task, value.name) for value in values)
        if repeated := [f"{name!r} of {task}" for (task, name), n in counts.items() if n > 1]:
            raise ValueError(f"named twice: {', '.join(repeated)}; give one another name")
        return values

    @field_validator("fractions", "draws", "seeds", "adaptation", "tasks", "baselines")
    @classmethod
    def _distinct(cls, values: Sequence[object]) -> Sequence[object]:
        if not values:
            raise ValueError("needs at least one value")
        counts = Counter(map(str, values))
        if repeated := [value for value, count in counts.items() if count > 1]:
            raise ValueError(f"named twice: {', '.join(repeated)}; leave one")
        return values

    @model_validator(mode="after")
    def _tunable(self) -> Self:
        if self.tuning:
            try:
                for table in self.recipe.tables:
                    self.tuning.check(table)
            except ValueError as error:
                raise ValueError(f"tuning.{error}") from None
        return self

    @model_validator(mode="after")
    def _foldable(self) -> Self:
        if self.folds and self.tests:
            raise ValueError(
                "folds: external tests are scored with trainings on a task's one split; leave out "
                "folds, or tests"
            )
        if self.folds and self.uncertainty:
            raise ValueError("folds: uncertainty is measured on a task's one split; leave out one")
        if self.folds and (named := [one for one in self.fractions if one.listed]):
            raise ValueError(
                f"folds: {named[0]} lists patients of a task's one split; leave out one"
            )
        return self

    @property
    def tested(self) -> tuple[Fold | None, ...]:
        """The folds that each training is repeated over; None is the task's one split."""
        return self.folds.run if self.folds else (None,)

    @model_validator(mode="after")
    def _countable(self) -> Self:
        arms = sum(
            math.prod(len(value) for value in entry.fields.values() if isinstance(value, list))
            for entry in self.baselines
        )
        steps = max((table.axis for table in self.recipe.tables), key=len)
        axes = (
            self.tasks,
            self.fractions,
            self.draws,
            self.seeds,
            self.tested,
            self.adaptation,
            steps,
        )
        if (cells := arms * math.prod(map(len, axes))) > _MOST_CELLS:
            raise ValueError(f"{cells:,} cells; a sweep has at most {_MOST_CELLS:,}")
        return self


def _with_named_unions(entry: Any, found: dict[str, object]) -> Any:
    """A baseline's table with the names of its unions, which are added to `found`."""
    if not isinstance(entry, Mapping) or "source" not in entry:
        return entry

    def named(source: Any) -> Any:
        names = source.get("union") if isinstance(source, Mapping) else None
        if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
            return source
        name = "+".join(sorted(names))
        found[name] = dict(source)
        return name

    source = entry["source"]
    return {**entry, "source": [*map(named, source)] if isinstance(source, list) else named(source)}
