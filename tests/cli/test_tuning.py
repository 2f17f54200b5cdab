"""`voxbench tuning`, `plan` and `status` tell of trials, and of a table that can't be meant."""

import json

import pytest
from voxbench.records.trials import Trials

from tests.running.conftest import EXAMPLE
from tests.tuning.trials import RATE, record


@pytest.fixture
def folder(tmp_path):
    for number, rate in enumerate((0.001, 0.01, 0.05)):
        values = {RATE: rate, "adaptation": "full"}
        Trials(tmp_path).write(record(number, values, scores={"p0": 0.5, "p1": 0.6}, budget=3))
    return tmp_path


def test_what_was_chosen_is_told_before_any_cell_has_run(voxbench, folder):
    code, told, _ = voxbench("tuning", folder)
    assert code == 0
    assert "learning_rate 0.01, adaptation full" in told


def test_programs_get_the_studies_and_every_smaller_budget(voxbench, folder):
    _, told, _ = voxbench("tuning", folder, "--json")
    found = json.loads(told)
    assert [row["trials"] for row in found["studies"]] == [3]
    assert [row["k"] for row in found["best_of_k"]] == [1, 2, 3]
    assert found["best_of_k"][0]["high"] is None


def test_a_folder_without_trials_is_told(voxbench, tmp_path):
    code, _, error = voxbench("tuning", tmp_path)
    assert (code, "no trials there" in error) == (2, True)


def test_status_counts_the_trials(voxbench, folder):
    code, told, _ = voxbench("status", folder)
    assert (code, told) == (0, "0 ok, 0 failed\n3 trials: 3 complete\n")


def test_a_trial_that_is_damaged_is_told_by_its_file(voxbench, folder):
    next((folder / "trials").glob("*.json")).write_text("{}")
    code, _, error = voxbench("tuning", folder)
    assert code == 2
    assert "not a trial" in error
    assert "Traceback" not in error


SWEEP = """
name = "x"
tasks = ["cubes"]
baselines = [{ name = "scratch", size = "tiny" }]
fractions = ["2 shots"]
seeds = 2
recipe = { steps = 2, patch = [32, 32, 32], augmentation = "none" }
tuning = { trials = 3, space = { "recipe.learning_rate" = [0.1, 0.01] } }
"""


def test_the_plan_lists_studies_and_what_waits_for_them(voxbench, tmp_path):
    sweep = tmp_path / "sweep.toml"
    sweep.write_text(SWEEP)
    words = ("plan", sweep, "-o", tmp_path / "out", "--include-path", EXAMPLE)
    code, told, _ = voxbench(*words)
    assert code == 0
    assert "full, tuned" in told
    assert "3 trials: 3 missing" in told
    assert "; 2 cells wait for them\n" in told
    rows = json.loads(voxbench(*words, "--json")[1])
    assert [row.get("trial") for row in rows] == [None, None, 0, 1, 2]
    assert {row["state"] for row in rows} == {"missing"}


def test_a_mistake_in_the_table_is_one_line_that_names_the_key(voxbench, tmp_path):
    sweep = tmp_path / "sweep.toml"
    sweep.write_text(
        'name = "x"\ntasks = ["phantom-lesion"]\nbaselines = ["scratch"]\n'
        '[tuning]\nspace = { "recipe.learning_rate" = { low = 0.1, high = 0.01 } }\n'
    )
    code, _, error = voxbench("plan", sweep, "-o", tmp_path / "out")
    assert code == 2
    assert len(error.strip().splitlines()) == 1
    assert "tuning.space: recipe.learning_rate: low must be below high" in error
