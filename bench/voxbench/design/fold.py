"""Cross-validation: which of how many folds a training is tested on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_USUAL = 5


@dataclass(frozen=True, order=True)
class Fold:
    """A fold of a cross-validation: what is tested on, of patients whom the others train on.

    Attributes:
        number: from 0.
        of: how many folds there are.
    """

    number: Annotated[int, Field(ge=0, strict=True)]
    of: Annotated[int, Field(ge=2, strict=True)]

    def __str__(self) -> str:
        """As it is written in tables: "fold 0 of 5"."""
        return f"fold {self.number} of {self.of}"


class Folds(BaseModel):
    """The folds of a sweep.

    Attributes:
        of: into how many the patients are divided.
        only: numbers of those that are run, from 0; none are all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: int = Field(ge=2, strict=True)
    only: tuple[Annotated[int, Field(ge=0, strict=True)], ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Self:
        if strange := [number for number in self.only if number >= self.of]:
            raise ValueError(
                f"no fold {strange[0]} among {self.of}, which are 0 to {self.of - 1}; of another "
                "number write { of = 10, only = [0, 9] }"
            )
        if len({*self.only}) < len(self.only):
            raise ValueError(f"a fold is named twice: {list(self.only)}")
        return self

    @property
    def run(self) -> tuple[Fold, ...]:
        """Those that are run, in their order."""
        return tuple(Fold(number, self.of) for number in self.only or range(self.of))


def _written(value: object) -> object:
    """A count is all of so many folds; a list names some of the usual five."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"of": value}
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError("names no fold; write how many there are: 5")
        return {"of": _USUAL, "only": value}
    if value is None or isinstance(value, Mapping | Folds):
        return value
    raise ValueError("write how many there are (5), or { of = 5, only = [0] }")


FoldAxis = Annotated[Folds | None, BeforeValidator(_written)]
