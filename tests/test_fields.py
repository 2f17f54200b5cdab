"""What a sweep may set of a plugin is read from its class."""

from dataclasses import dataclass, field

from voxbench.fields import PluginField, settable_fields


@dataclass(frozen=True, kw_only=True)
class Base:
    """A base.

    Attributes:
        place: where it lies,
            with a line more.
        count: of the base.

    Raises:
        ValueError: never.
    """

    place: str
    count: int = 1
    derived: int = field(init=False, default=0)


@dataclass(frozen=True, kw_only=True)
class Inherits(Base):
    """What inherits.

    Attributes:
        count: told anew.
    """

    count: int = 2
    names: "tuple[str, ...] | None" = None


def test_names_types_defaults_and_purposes_are_read_along_the_inheritance():
    assert settable_fields(Inherits) == [
        PluginField("place", "str", True, None, "where it lies, with a line more."),
        PluginField("count", "int", False, 2, "told anew."),
        PluginField("names", "tuple[str, ...] | None", False, None, ""),
    ]
