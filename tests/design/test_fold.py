"""Folds in a sweep: how they are written, and what they do to keys."""

import pytest
from voxbench.design.cell import Cell
from voxbench.design.fold import Fold
from voxbench.design.recipe import Recipe
from voxbench.design.seeds import streams
from voxbench.design.sweep_file import parse_sweep, written_sweep
from voxbench.errors import SpecError

TABLE = {"name": "cv", "tasks": ["acdc"], "baselines": ["scratch"]}


def folds(value):
    return [
        fold and (fold.number, fold.of) for fold in parse_sweep({**TABLE, "folds": value}).tested
    ]


def cell(**changes):
    told = {
        "task": ["acdc", {}], "baseline": ["scratch", {}], "fraction": {"share": 1.0}, "draw": 0,
        "seed": 0, "adaptation": "full", "recipe": Recipe(), **changes,
    }  # fmt: skip
    return Cell.model_validate(told)


def test_a_count_is_all_folds():
    assert folds(3) == [(0, 3), (1, 3), (2, 3)]


def test_a_list_names_some_of_five():
    assert folds([0, 1, 2, 3, 4]) == folds(5)
    assert folds([0, 3]) == [(0, 5), (3, 5)]


def test_some_of_another_number_are_written_out():
    assert folds({"of": 10, "only": [9]}) == [(9, 10)]


def test_without_folds_a_training_is_tested_on_the_split():
    assert parse_sweep(TABLE).tested == (None,)


@pytest.mark.parametrize("value", [1, 0, [], [5], [0, 0], True, "all", {"of": 3, "only": [3]}])
def test_folds_that_are_none_are_refused(value):
    with pytest.raises(SpecError, match="folds"):
        parse_sweep({**TABLE, "folds": value})


def test_a_sweep_with_folds_is_written_and_read_again():
    sweep = parse_sweep({**TABLE, "folds": [0, 3]})
    assert "folds" in written_sweep(sweep)


def test_external_tests_are_refused_beside_folds():
    table = {"folds": 5, "tests": [{"task": "acdc", "name": "other", "data": "mms"}]}
    with pytest.raises(SpecError, match="external tests are scored"):
        parse_sweep({**TABLE, **table})


def test_a_cell_without_a_fold_tells_none():
    assert "fold" not in cell().to_json()
    assert Cell.from_json(cell(fold=Fold(1, 5)).to_json()).fold == Fold(1, 5)


def test_the_fold_is_part_of_the_key():
    keys = {
        cell(**({"fold": fold} if fold else {})).key("d", None, None, {})
        for fold in (None, Fold(0, 5), Fold(1, 5), Fold(0, 10))
    }
    assert len(keys) == 4


def test_folds_share_no_random_stream():
    one, other = (streams(cell(fold=Fold(number, 5))) for number in (0, 1))
    assert not {*one.values()} & {*other.values()}
