"""Tables on a terminal, in files and for programs: text, Markdown, CSV, LaTeX, JSON."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxbench.analyses.table import Table, one_line
from voxbench.files import remove_leavings, write_atomically

if TYPE_CHECKING:
    from rich.table import Table as RichTable


_PROSE = 100  # characters of a line of text within a cell


def as_text(table: Table) -> "RichTable":
    """The body for a terminal, to be printed by a rich console; no word is ever cut."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table as RichTable

    made = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for title, *cells in zip(table.titles, *table.body, strict=True):
        words = [len(word) for cell in (title, *cells) for word in cell.split()]
        made.add_column(escape(title), max_width=max(_PROSE, *words, 0))
    for line in table.body:
        made.add_row(*map(escape, line))
    return made


def as_json(value: Any) -> str:
    """Rows, or whatever holds them, for programs; null for what is undefined: JSON has no NaN."""
    return json.dumps(_defined(value), indent=1)


def _defined(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _defined(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_defined(item) for item in value]
    return None if value != value else value


def as_markdown(table: Table) -> str:
    """A pipe table under its caption, with everything escaped."""
    return pipe_table(table, escape_markdown)


def pipe_table(table: Table, shown: Callable[[str], str] = str) -> str:
    """The same of cells that are Markdown, or that `shown` makes so."""
    rules = ["---:" if column.number else "---" for column in table.columns]
    titles, *body = [
        [shown(cell).replace("|", "\\|") for cell in line] for line in (table.titles, *table.body)
    ]
    lines = [f"| {' | '.join(line)} |" for line in (titles, rules, *body)]
    return "\n".join([shown(table.caption), "", *lines]) + "\n"


_MARKUP = re.compile(r"\\|<(?=[a-z/!?])|&(?=#|\w+;)|\](?=[(\[:])", re.IGNORECASE)
"""Where HTML, a link or an escape would begin."""
_ENTITIES = {"<": "&lt;", "&": "&amp;"}


def escape_markdown(text: str) -> str:
    """Text on one line that Markdown shows as it stands, without HTML, links and pictures."""
    return _MARKUP.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), one_line(text))


def as_csv(table: Table) -> str:
    """CSV with a column for every raw value, in full precision; undefined is empty.

    A text that a spreadsheet would take for a formula has an apostrophe before it
    (OWASP, CSV injection), one that a page would take for HTML an entity in it.
    """
    file = io.StringIO()
    keys = list(dict.fromkeys(key for row in table.rows for key in row))
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(_inert, keys))
    for row in table.rows:
        writer.writerow([_inert(row.get(key)) for key in keys])
    return file.getvalue()


def _inert(value: Any) -> Any:
    if isinstance(value, str):
        plain = _HTML.sub("&lt;", one_line(value))
        return f"'{plain}" if _FORMULA.match(value) else plain
    return None if value != value else value


_HTML = re.compile(r"<(?=[a-z/!?])", re.IGNORECASE)
_FORMULA = re.compile(r"[\s\x00]*[=+\-@\t\r\n＝＋－＠]")


def as_latex(table: Table) -> str:
    """A table that needs the package booktabs, with everything escaped."""
    titles = " & ".join(map(escape_latex, table.titles))
    body = [" & ".join(map(escape_latex, line)) + r" \\" for line in table.body]
    aligned = "".join("r" if column.number else "l" for column in table.columns)
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape_latex(table.caption)}}}",
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
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # after \\ a bracket would be read as its optional argument
    "]": "{]}",
} | {character: f"\\{character}" for character in "&%$#_{}"}
_SPECIAL = re.compile("|".join(map(re.escape, _LATEX)))


def escape_latex(text: str) -> str:
    """Text that LaTeX prints as it stands."""
    return _SPECIAL.sub(lambda found: _LATEX[found[0]], one_line(text))


def save_table(table: Table, folder: Path) -> list[Path]:
    """Write `<name>.md`, `.csv` and `.tex`; what killed processes left there is removed."""
    remove_leavings(folder)
    writers = {"md": as_markdown, "csv": as_csv, "tex": as_latex}
    paths = []
    for ending, writer in writers.items():
        path = folder / f"{table.name}.{ending}"
        write_atomically(path, writer(table))
        paths.append(path)
    return paths
