import csv
import io
import math

import pytest
from voxbench.report.tables import (
    Column,
    Table,
    comma_separated,
    escape,
    interval,
    latex,
    markdown,
    number,
    p_value,
    plain,
    write,
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


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (0.0214, False, "0.021"),
        (0.0214, True, "+0.021"),
        (-0.0214, True, "−0.021"),
        (-0.0001, True, "0.000"),
        (0.0001, True, "0.000"),
        (math.nan, False, "–"),
    ],
)
def test_numbers(value, signed, text):
    assert number(3, signed)(value) == text


def test_a_mean_with_its_interval():
    assert interval(3, signed=True)(0.021, -0.0104, 0.033) == "+0.021 [−0.010, +0.033]"


def test_small_p_values_are_not_shown_as_zero():
    assert [p_value(p) for p in (0.0004, 0.0321, 1.0, math.nan)] == [
        "< 0.001",
        "0.032",
        "1.000",
        "–",
    ]


def test_markdown_escapes_the_column_separator():
    assert markdown(TABLE).splitlines() == [
        "A 95% caption",
        "",
        "| arm | Dice [95%] |",
        "| --- | ---: |",
        "| a[b_c=1\\|2] | 0.821 [0.810, 0.830] |",
        "| gone | – |",
    ]


def test_csv_has_full_precision_and_nothing_where_undefined():
    rows = list(csv.DictReader(io.StringIO(comma_separated(TABLE))))
    assert rows[0] == {"arm": "a[b_c=1|2]", "mean": "0.82149", "low": "0.81", "high": "0.83"}
    assert rows[1] == {"arm": "gone", "mean": "", "low": "", "high": ""}


def test_latex_is_a_booktabs_table():
    lines = latex(TABLE).splitlines()
    assert r"\begin{tabular}{lr}" in lines
    assert [line for line in lines if line.endswith("rule")] == [
        r"\toprule", r"\midrule", r"\bottomrule",
    ]  # fmt: skip
    assert r"a{[}b\_c=1|2{]} & 0.821 {[}0.810, 0.830{]} \\" in lines


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
    assert escape(text) == escaped


def test_a_table_without_rows_is_written_too(tmp_path):
    paths = write(TABLE._replace(rows=[]), tmp_path)
    assert [path.name for path in paths] == ["t.md", "t.csv", "t.tex"]
    assert all(path.exists() for path in paths)


def test_undefined_is_null_for_programs():
    assert plain({"a": math.nan, "b": 1.0, "c": "x"}) == {"a": None, "b": 1.0, "c": "x"}
