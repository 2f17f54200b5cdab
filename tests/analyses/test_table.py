import math

import pytest
from voxbench.analyses.table import Column, Table, interval, number, p_value


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


def test_a_column_may_show_several_values_of_a_row():
    table = Table(
        "t",
        "Title",
        "Caption",
        [Column("arm", ("arm",)), Column("Dice", ("mean", "low", "high"), interval(1), True)],
        [{"arm": "a", "mean": 0.5, "low": 0.4, "high": 0.6, "more": 1}],
    )
    assert table.titles == ["arm", "Dice"]
    assert table.body == [["a", "0.5 [0.4, 0.6]"]]


def test_plain_rows_are_shown_under_their_keys():
    table = Table.plain(iter([{"key": 1, "reason": None}, {"key": 2, "reason": "x"}]))
    assert (table.titles, table.body) == (["key", "reason"], [["1", ""], ["2", "x"]])


def test_no_rows_are_an_empty_table():
    assert Table.plain([]).titles == []
