import csv
import io
import json
import math

import pytest
from rich.console import Console
from voxbench.analyses.table import Column, Table, interval
from voxbench.reporting.printer import (
    as_csv,
    as_json,
    as_latex,
    as_markdown,
    as_text,
    escape_latex,
    save_table,
)

TABLE = Table(
    "t",
    "Title",
    "A 95% caption",
    [
        Column("arm", ("arm",)),
        Column("Dice [95%]", ("mean", "low", "high"), interval(3), True),
    ],
    [
        {"arm": "a[b_c=1|2]", "mean": 0.82149, "low": 0.81, "high": 0.83},
        {"arm": "gone", "mean": math.nan, "low": math.nan, "high": math.nan},
    ],
)


def test_prose_is_broken_between_words_on_a_terminal_a_label_never():
    label, prose = "a[" + "x" * 80 + "]", "word " * 60
    console = Console(width=10_000)
    with console.capture() as shown:
        console.print(as_text(Table.plain([{"arm": label, "note": prose}])))
    lines = [line.rstrip() for line in shown.get().splitlines()]
    assert any(label in line for line in lines)
    assert max(map(len, lines)) < 220


def test_markdown_escapes_the_column_separator():
    assert as_markdown(TABLE).splitlines() == [
        "A 95% caption",
        "",
        "| arm | Dice [95%] |",
        "| --- | ---: |",
        "| a[b_c=1\\|2] | 0.821 [0.810, 0.830] |",
        "| gone | – |",
    ]


HOSTILE = {
    "formula": '=HYPERLINK("http://evil","x")',
    "later formula": " \t@SUM(1)",
    "minus": "-2+3",
    "html": "<img src=x onerror=alert(1)>",
    "link": "[a](javascript:b) ![c][d] `e` &lt;f",
    "lines": "a\nb\r| c |\x1b[31m",
}


def hostile():
    columns = [Column(name) for name in HOSTILE]
    return Table("t", "Title", HOSTILE["html"], [*columns, Column("<b>")], [{**HOSTILE, "<b>": ""}])


def test_cells_of_a_csv_are_neither_formulas_nor_html_nor_lines():
    text = as_csv(hostile())
    head, body = csv.reader(io.StringIO(text))
    assert text.count("\n") == 2
    assert head[-1] == "&lt;b>"
    assert [cell[:2] for cell in body[:4]] == ["'=", "' ", "'-", "&l"]
    assert as_csv(TABLE._replace(rows=[{"x": -1.5}])) == "x\n-1.5\n"


def test_cells_of_markdown_are_shown_as_they_stand():
    text = as_markdown(hostile())
    assert len(text.splitlines()) == 5
    assert "<img" not in text
    assert "<b>" not in text
    assert "[a\\](javascript" in text
    assert "`e` &amp;lt;f" in text
    assert "a b \\| c \\| [31m" in text


def test_a_terminal_and_latex_see_no_control_characters():
    console = Console(file=io.StringIO(), width=400)
    console.print(as_text(hostile()))
    for text in (console.file.getvalue(), as_latex(hostile())):
        assert not {"\x1b", "\r", "\t"} & set(text)


def test_csv_has_full_precision_and_nothing_where_undefined():
    rows = list(csv.DictReader(io.StringIO(as_csv(TABLE))))
    assert rows[0] == {"arm": "a[b_c=1|2]", "mean": "0.82149", "low": "0.81", "high": "0.83"}
    assert rows[1] == {"arm": "gone", "mean": "", "low": "", "high": ""}


def test_latex_is_a_booktabs_table():
    lines = as_latex(TABLE).splitlines()
    assert r"\begin{tabular}{lr}" in lines
    assert [line for line in lines if line.endswith("rule")] == [
        r"\toprule", r"\midrule", r"\bottomrule",
    ]  # fmt: skip
    assert r"a{[}b\_c=1\textbar{}2{]} & 0.821 {[}0.810, 0.830{]} \\" in lines


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("50% of $5 & #1_a", r"50\% of \$5 \& \#1\_a"),
        ("{x}~^", r"\{x\}\textasciitilde{}\textasciicircum{}"),
        ("a\\b", r"a\textbackslash{}b"),
        ("−0.1 ± 2 < 3", r"$-$0.1 $\pm$ 2 $<$ 3"),
    ],
)
def test_latex_escapes(text, escaped):
    assert escape_latex(text) == escaped


def test_a_table_without_rows_is_written_too(tmp_path):
    paths = save_table(TABLE._replace(rows=[]), tmp_path)
    assert [path.name for path in paths] == ["t.md", "t.csv", "t.tex"]
    assert all(path.exists() for path in paths)


def test_undefined_is_null_for_programs():
    value = {"rows": [{"a": math.nan, "b": 1.0, "c": "x"}], "pair": (math.nan, 2)}
    assert json.loads(as_json(value)) == {
        "rows": [{"a": None, "b": 1.0, "c": "x"}],
        "pair": [None, 2],
    }


def test_a_terminal_shows_brackets_as_they_are():
    console = Console(width=100, file=io.StringIO())
    console.print(as_text(TABLE))
    shown = console.file.getvalue()
    assert "a[b_c=1|2]" in shown
    assert "0.821 [0.810, 0.830]" in shown
