"""A cell's key names all that decides its result, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.design.cell import Cell, Ref, digest
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


def changed(**fields) -> Cell:
    return CELL.model_copy(update=fields)


def key(cell: Cell, data="d", weights=None, source=None) -> str:
    return cell.key(data, weights, source, versions={"record": 1})


def test_a_cell_is_told_without_places_and_twin_and_read_back():
    cell = changed(
        twin=Ref("scratch"), source=Ref.of("s", {"root": "/s", "window": [0.0, 9.5]}), limit=3
    )
    told = json.loads(json.dumps(cell.to_json()))
    assert Cell.from_json(told) == cell.model_copy(
        update={
            "task": cell.task.without("root"),
            "source": cell.source.without("root"),
            "twin": None,
        }
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"task": ["t", {"root": "/etc"}]}, "names a location on somebody's machine"),
        ({"task": ["t", {"volumes": {"a": 1}}]}, "no plugin's name and fields"),
        ({"task": "t"}, "no plugin's name and fields"),
        ({"draw": True}, "draw"),
        ({"fraction": {"share": None, "shots": 3, "more": 1}}, "fraction.more"),
        ({"twin": ["scratch", {}]}, "not written as voxbench"),
        ({"arm": 1}, "arm"),
    ],
)
def test_what_is_no_cell_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Cell.from_json({**CELL.to_json(), "task": ["t", {}], **change})


def test_places_do_not_enter_the_key():
    moved = changed(task=Ref.of("t", {"modality": "CT", "root": "/there"}))
    assert key(moved) == key(CELL)


@given(st.permutations([("a", 1), ("b", 2), ("c", "x")]))
def test_the_order_of_fields_does_not_enter_the_key(fields):
    one = changed(baseline=Ref.of("b", dict(fields)))
    assert key(one) == key(changed(baseline=Ref.of("b", {"a": 1, "b": 2, "c": "x"})))


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
    assert key(changed(**change)) != key(CELL)


@pytest.mark.parametrize(
    "how", [{"devices": 2}, {"micro_batch": 1}, {"compile": True}, {"channels_last": True}]
)
def test_how_a_result_is_computed_is_told_and_does_not_enter_the_key(how):
    cell = changed(recipe=Recipe(**how), pretraining=Pretraining(**how))
    assert key(cell) == key(changed(pretraining=Pretraining()))
    told = cell.to_json()
    assert told["recipe"].items() >= how.items()
    assert told["pretraining"].items() >= how.items()


def test_content_changes_the_key():
    keys = {key(CELL), key(CELL, data="e"), key(CELL, weights="w"), key(CELL, source="s")}
    assert len(keys) == 4


def test_the_name_of_a_source_is_no_identity():
    one, two = (changed(source=Ref("s"), baseline=Ref.of("b", {"source": alias})) for alias in "xy")
    assert key(one) == key(two)


def test_a_new_version_makes_new_keys():
    assert CELL.key("d", None, None, {"metrics": "2"}) != CELL.key(
        "d", None, None, {"metrics": "1"}
    )


def test_the_twin_is_a_name_and_no_identity():
    assert key(changed(twin=Ref("scratch"))) == key(CELL)


def test_the_key_is_the_same_in_every_release():
    """A changed key would orphan every stored record: change SCHEMA instead."""
    assert key(CELL) == "ef49d762bab447bbae5c"


@pytest.mark.parametrize("path", ["/data/who.csv", "C:\\data\\who.csv"])
def test_an_absolute_path_is_a_location_and_no_identity(path):
    ref = Ref.of("folder", {"patients": path, "title": "mine"})
    assert ref.to_json() == ["folder", {"title": "mine"}]
    with pytest.raises(ValueError, match="a location on somebody's machine"):
        Ref.from_json(["folder", {"patients": path}])
    relative = Ref.of("folder", {"patients": "who.csv"})
    assert relative.to_json() == ["folder", {"patients": "who.csv"}]


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_keys_of_all_draws_and_seeds_are_made_of_one_cell(draw, seed):
    cell = changed(draw=draw, seed=seed, recipe=Recipe(steps=seed + 1))
    keys = changed(recipe=cell.recipe, draw=7).keys("d", None, None, {"record": 1})
    told = {
        **cell.to_json(), "data": "d", "weights": None, "source_data": None,
        "versions": {"record": 1},
    }  # fmt: skip
    assert keys(draw, seed) == key(cell) == digest(told)[:20]
