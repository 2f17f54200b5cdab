"""Tables as Markdown, CSV and LaTeX."""

import csv
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

DASH = "–"


class Column(NamedTuple):
    """A column: the keys of the row that it shows, and how.

    `show` turns the values into text. Numbers are aligned to the right.
    """

    title: str
    keys: tuple[str, ...]
    show: Callable[..., str] = str
    number: bool = False


class Table(NamedTuple):
    """Rows of raw values, and the columns in which people read them."""

    name: str
    title: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]


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


def p_value(p: float) -> str:
    """Three digits, or «< 0.001»."""
    return "< 0.001" if p < 0.001 else number(3)(p)


def texts(table: Table) -> list[list[str]]:
    """The body as it is shown."""
    return [
        [column.show(*(row[key] for key in column.keys)) for column in table.columns]
        for row in table.rows
    ]


def markdown(table: Table) -> str:
    """A pipe table under its caption."""
    titles = [column.title for column in table.columns]
    rules = ["---:" if column.number else "---" for column in table.columns]
    body = [[cell.replace("|", "\\|") for cell in line] for line in texts(table)]
    lines = [f"| {' | '.join(line)} |" for line in (titles, rules, *body)]
    return "\n".join([table.caption, "", *lines]) + "\n"


def comma_separated(table: Table) -> str:
    """CSV with a column for every raw value, in full precision; undefined is empty."""
    file = io.StringIO()
    keys = list(dict.fromkeys(key for row in table.rows for key in row))
    writer = csv.DictWriter(file, keys, lineterminator="\n")
    writer.writeheader()
    for row in table.rows:
        writer.writerow(plain(row))
    return file.getvalue()


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with None for what is undefined: JSON has no NaN."""
    return {key: None if value != value else value for key, value in row.items()}


def latex(table: Table) -> str:
    """A table that needs the package booktabs, with everything escaped."""
    titles = " & ".join(escape(column.title) for column in table.columns)
    body = [" & ".join(map(escape, line)) + r" \\" for line in texts(table)]
    aligned = "".join("r" if column.number else "l" for column in table.columns)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(table.caption)}}}",
        rf"\label{{tab:{table.name}}}",
        rf"\begin{{tabular}}{{{aligned}}}",
        r"\toprule",
        titles + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "−": r"$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "–": "--",
    "«": "``",
    "»": "''",
    "[": "{[}",  # after \\ a bracket would be read as its optional argument
    "]": "{]}",
} | {character: f"\\{character}" for character in "&%$#_{}"}
_SPECIAL = re.compile("|".join(map(re.escape, _LATEX)))


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return _SPECIAL.sub(lambda found: _LATEX[found[0]], text)


def write(table: Table, folder: Path) -> list[Path]:
    """Write `<name>.md`, `.csv` and `.tex`."""
    folder.mkdir(parents=True, exist_ok=True)
    writers = {"md": markdown, "csv": comma_separated, "tex": latex}
    paths = []
    for ending, writer in writers.items():
        path = folder / f"{table.name}.{ending}"
        path.write_text(writer(table), encoding="utf-8")
        paths.append(path)
    return paths
