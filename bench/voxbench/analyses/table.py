"""What an analysis hands on: rows of raw values, and the columns in which people read them."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from voxbench.stats.interval import Interval

DASH = "–"


class Column(NamedTuple):
    """A column: the keys of the row that it shows, and how.

    Attributes:
        title: the key too, where no others are given.
        keys: whose values are shown.
        show: turns the values into text.
        number: aligned to the right.
    """

    title: str
    keys: tuple[str, ...] = ()
    show: Callable[..., str] = str
    number: bool = False

    def values(self, row: Mapping[str, Any]) -> list[Any]:
        """What it shows of a row."""
        return [row[key] for key in self.keys or (self.title,)]

    def text(self, row: Mapping[str, Any]) -> str:
        """A row as people read it, on one line."""
        return one_line(self.show(*self.values(row)))


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def one_line(text: str) -> str:
    """The text without line breaks, tabs and other control characters."""
    return _CONTROL.sub(" ", text)


_LEADING = ("effect", "mean", "change", "difference", "labels")  # their ends are `low` and `high`


class Table(NamedTuple):
    """Rows of raw values by key, and the columns in which people read them.

    Attributes:
        name: of its files.
        title: its heading.
        caption: what it shows, and by which method.
        columns: as they are read; programs get all keys of the rows.
        rows: key → value; NaN is undefined.
    """

    name: str
    title: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]

    @classmethod
    def plain(cls, rows: Iterable[Mapping[str, object]]) -> "Table":
        """Rows of one shape under their keys, as they are; None is left empty."""
        kept = list(rows)
        columns = [Column(key, show=_plain) for key in (kept[0] if kept else ())]
        return cls("", "", "", columns, kept)

    @property
    def titles(self) -> list[str]:
        """Of the columns."""
        return [one_line(column.title) for column in self.columns]

    @property
    def body(self) -> list[list[str]]:
        """The rows as people read them, (row, column)."""
        return [[column.text(row) for column in self.columns] for row in self.rows]


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def as_row(found: Any, *left_out: str) -> dict[str, Any]:
    """The fields of a dataclass as a row of a table.

    Those of its `where`, and the ends of its intervals, stand on their own.

    Args:
        found: a row of an analysis.
        left_out: fields that its table does not have.
    """
    row: dict[str, Any] = {}
    for name, value in asdict(found).items():
        row |= value.told if name == "where" else _flat(name, value)
    return {key: value for key, value in row.items() if key not in left_out}


def _flat(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, Interval):
        return dict(zip(_interval_keys(name), value, strict=True))
    if isinstance(value, dict):
        return {key: item for own in value for key, item in _flat(own, value[own]).items()}
    return {name: value}


def _interval_keys(name: str) -> tuple[str, str, str]:
    prefix = "" if name in _LEADING else f"{name}_"
    return name, f"{prefix}low", f"{prefix}high"


def plain_columns(*titles: str, number: bool = False) -> list[Column]:
    """Columns of values as they are, each under its key."""
    return [Column(title, number=number) for title in titles]


def interval_column(title: str, name: str, digits: int, signed: bool = False) -> Column:
    """The column of a field that is an interval."""
    return Column(title, _interval_keys(name), interval(digits, signed), True)


def number(digits: int, signed: bool = False) -> Callable[[float], str]:
    """Show a number with so many digits; a dash where it is undefined."""

    def show(value: float) -> str:
        if math.isnan(value):
            return DASH
        text = f"{value:{'+' if signed else ''}.{digits}f}"
        if float(text) == 0:
            text = text.lstrip("+-")
        return text.replace("-", "−")

    return show


def interval(digits: int, signed: bool = False) -> Callable[[float, float, float], str]:
    """Show a mean with its interval: `0.021 [0.010, 0.033]`."""
    one = number(digits, signed)

    def show(mean: float, low: float, high: float) -> str:
        return DASH if math.isnan(mean) else f"{one(mean)} [{one(low)}, {one(high)}]"

    return show


def or_dash(word: str) -> str:
    """The word; a dash where there is none."""
    return word or DASH


def p_value(p: float) -> str:
    """Three digits, or «< 0.001»."""
    return "< 0.001" if p < 0.001 else number(3)(p)


def hours(cpu: float, gpu: float) -> str:
    """`0.25 CPU h`, `1.50 GPU h`, both, or a dash."""
    parts = [f"{_amount(value)} {kind} h" for value, kind in ((cpu, "CPU"), (gpu, "GPU")) if value]
    return " + ".join(parts) or DASH


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value >= 0.01 else "< 0.01"
