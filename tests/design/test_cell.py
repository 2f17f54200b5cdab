"""A cell's key names all that decides its result, and nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.design.cell import Cell, Ref
from voxbench.design.fraction import Fraction
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Pretraining, Recipe

CELL = Cell(
    task=Ref.of("t", {"root": "/here", "modality": "CT"}),
    baseline=Ref.of("b", {"size": "tiny", "architecture": "unet"}),
    fraction=Fraction(shots=3),
    draw=0,
    seed=0,
    adaptation="full",
    recipe=Recipe(),
)


def key(cell: Cell, data="d", weights=None, source=None) -> str:
    return cell.key(data, weights, source, versions={"record": 1})


def test_places_do_not_enter_the_key():
    moved = replace(CELL, task=Ref.of("t", {"modality": "CT", "root": "/there"}))
    assert key(moved) == key(CELL)


@given(st.permutations([("a", 1), ("b", 2), ("c", "x")]))
def test_the_order_of_fields_does_not_enter_the_key(fields):
    one = replace(CELL, baseline=Ref.of("b", dict(fields)))
    assert key(one) == key(replace(CELL, baseline=Ref.of("b", {"a": 1, "b": 2, "c": "x"})))


@pytest.mark.parametrize(
    "change",
    [
        {"fraction": Fraction(share=0.5)},
        {"draw": 1},
        {"seed": 1},
        {"adaptation": "frozen"},
        {"recipe": Recipe(steps=7)},
        {"baseline": Ref.of("b", {"size": "small", "architecture": "unet"})},
        {"task": Ref.of("t", {"modality": "MR"})},
        {"source": Ref("s")},
        {"pretraining": Pretraining(steps=5)},
        {"contract": Preprocessing()},
        {"limit": 5},
    ],
)
def test_each_axis_changes_the_key(change):
    assert key(replace(CELL, **change)) != key(CELL)


def test_content_changes_the_key():
    keys = {key(CELL), key(CELL, data="e"), key(CELL, weights="w"), key(CELL, source="s")}
    assert len(keys) == 4


def test_the_name_of_a_source_is_no_identity():
    one, two = (
        replace(CELL, source=Ref("s"), baseline=Ref.of("b", {"source": alias})) for alias in "xy"
    )
    assert key(one) == key(two)


def test_a_new_version_makes_new_keys():
    assert CELL.key("d", None, None, {"metrics": "2"}) != CELL.key(
        "d", None, None, {"metrics": "1"}
    )


def test_the_twin_is_a_name_and_no_identity():
    assert key(replace(CELL, twin=Ref("scratch"))) == key(CELL)


def test_the_key_is_the_same_in_every_release():
    """A changed key would orphan every stored record: change SCHEMA instead."""
    assert key(CELL) == "ef49d762bab447bbae5c"
