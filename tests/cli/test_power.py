"""What settles the undecided comparisons of a folder, from the command line."""

import json

import pytest

from tests.analyses.records import MASKED, cases, record, stored
from tests.analyses.test_power import noisy


@pytest.fixture
def folder(tmp_path):
    stored(tmp_path, *noisy())
    return tmp_path


def test_the_seeds_to_type_and_their_cost_are_told(voxbench, folder):
    code, out, _ = voxbench("power", folder)
    assert code == 0
    assert "1 of 1 comparisons with the scratch twin are undecided." in out
    assert "--set seeds=" in out
    assert "CPU h" in out
    assert "This is a plan on the present estimates" in out


def test_json_has_the_split_and_the_way_to_settle(voxbench, folder):
    _, out, _ = voxbench("power", folder, "--json")
    told = json.loads(out)
    [row] = told["comparisons"]
    assert row["arm"] == MASKED
    assert row["sd_rest"] == pytest.approx(0.03 * 2**0.5, rel=0.3)
    assert row["sd_draw"] is None
    assert row["seeds"] > 3
    assert row["seeds_cells"] == 2 * (row["seeds"] - 3)


def test_where_patients_are_the_bound_it_says_so(voxbench, tmp_path):
    stored(tmp_path, *noisy(gain=0.004, patients=8, luck=0.0001))
    _, out, _ = voxbench("power", tmp_path, "--margin", "0.001")
    assert "no number of seeds settles it" in out


def test_one_training_asks_for_more_seeds_first(voxbench, tmp_path):
    stored(tmp_path, *noisy(seeds=(0,), patients=6))
    _, out, _ = voxbench("power", tmp_path)
    assert "run 3 first (--set seeds=3)" in out


def test_nothing_undecided_is_one_sentence(voxbench, tmp_path):
    stored(tmp_path, record(cases(lambda i, c: 0.5)))
    _, out, _ = voxbench("power", tmp_path)
    assert out == "No arm has a scratch twin to be compared with.\n"


def test_an_empty_folder_is_one_message(voxbench, tmp_path):
    code, _, error = voxbench("power", tmp_path)
    assert code == 2
    assert "no records there" in error
