"""The plugins that a sweep names, with their fields."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from voxbench.design.cell import Ref


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


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

    @property
    def ref(self) -> Ref:
        """The plugin with its fields."""
        return Ref.of(self.name, self.fields)


class BaselineEntry(Entry):
    """A baseline of the sweep: its name, and its fields as further keys (a list is an axis).

    Attributes:
        name: of the plugin, as `voxbench ls` tells it.
        pretraining: keys of `[pretraining]` that have another value for this baseline alone.
    """

    pretraining: dict[str, Any] = {}


class SourceEntry(Entry):
    """What baselines may be pre-trained on: a plugin with its fields, or several united.

    Attributes:
        name: of the plugin, as `voxbench ls` tells it; not with `union`.
        union: names of other sources or tasks, at least two, in place of a plugin.
    """

    name: str = ""
    union: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _either(self) -> Self:
        if self.union and (self.name or self.fields):
            raise ValueError("union: takes the place of a plugin; leave the other keys out")
        if not self.union and not self.name:
            raise ValueError("name: the plugin, or union, the names of at least two sources")
        if self.union and len({*self.union}) < max(2, len(self.union)):
            raise ValueError(f"union: at least two names, each once, got {list(self.union)}")
        return self


Named = Annotated[Entry, BeforeValidator(_named)]
NamedSource = Annotated[SourceEntry, BeforeValidator(_named)]
NamedBaseline = Annotated[BaselineEntry, BeforeValidator(_named)]


class ExternalEntry(BaseModel):
    """An external test set of a task: what its trained networks are scored on besides.

    Attributes:
        task: of the sweep, by its name.
        name: of the test set in tables: the other site, vendor or data set.
        data: the task whose labelled cases are predicted, with its fields.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str = Field(min_length=1)
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    data: Named
