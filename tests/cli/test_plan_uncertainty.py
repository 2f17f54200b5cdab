"""`voxbench plan` lists what models of `[uncertainty]` will predict, and what is kept for it."""

import json

import pytest

from tests.running.conftest import EXAMPLE

SPEC = """
name = "tiny"
tasks = ["cubes"]
baselines = [{ name = "scratch", size = "tiny" }]
fractions = ["2 shots"]
seeds = 2
recipe = { steps = 2, patch = [16, 16, 16], augmentation = "none" }
uncertainty = { models = ["softmax", "ensemble"] }
"""


@pytest.fixture
def words(tmp_path):
    spec = tmp_path / "sweep.toml"
    spec.write_text(SPEC)
    return "plan", spec, "-o", tmp_path / "out", "--include-path", EXAMPLE


def test_predictions_wait_for_their_cells_and_weights_are_kept(voxbench, words):
    code, told, _ = voxbench(*words)
    assert code == 0
    assert "GiB, for [uncertainty]" in told
    rows = [line.split() for line in told.splitlines() if "cubes" in line]
    assert [row[-1] for row in rows if "softmax" in row or "ensemble" in row] == ["2", "1"]
    assert "cells first" in told


def test_programs_get_a_row_for_each(voxbench, words):
    _, told, _ = voxbench(*words, "--json")
    found = [row for row in json.loads(told) if row.get("model")]
    assert [(row["model"], row["seeds"], row["reason"]) for row in found] == [
        ("softmax", [0], "cells first"),
        ("softmax", [1], "cells first"),
        ("ensemble", [0, 1], "cells first"),
    ]


def test_a_model_for_other_networks_is_told_on_one_line(voxbench, words):
    code, _, error = voxbench(*words, "--set", 'uncertainty.models=["ssn"]')
    assert code == 2
    assert 'uncertainty.models: ssn needs recipe.stochastic = "ssn"' in error
    assert len(error.strip().splitlines()) == 1
