"""`voxbench plan` lists what models of `[uncertainty]` will predict, and what is kept for it."""

import json

import pytest
from voxbench.records.failures import FailureRecord, Failures
from voxbench.records.uncertainty import UncertaintyRecords

from tests.analyses.records import SCRATCH, cases, record, stored
from tests.analyses.test_uncertainty import uncertain
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
    assert "MiB, for [uncertainty]" in told
    rows = [line.split() for line in told.splitlines() if "cubes" in line]
    assert [row[-2] for row in rows if "softmax" in row or "ensemble" in row] == ["2", "1"]
    assert "cells first" in told


def test_programs_get_a_row_for_each(voxbench, words):
    _, told, _ = voxbench(*words, "--json")
    found = [row for row in json.loads(told) if row.get("model")]
    first, second, both = (row["seconds"] for row in found)
    assert first == second > 0
    assert both == pytest.approx(2 * first)
    assert [(row["model"], row["seeds"], row["reason"]) for row in found] == [
        ("softmax", [0], "cells first"),
        ("softmax", [1], "cells first"),
        ("ensemble", [0, 1], "cells first"),
    ]


def test_status_counts_them_and_what_they_took(voxbench, tmp_path):
    cell = record(cases(lambda i, _: 0.5, 2), SCRATCH)
    stored(tmp_path, cell)
    doubted = uncertain(cell, lambda *_: 0.1, lambda _: 0.1)
    for key, model, seconds in (("a", "softmax", 30), ("b", "softmax", 60), ("c", "tta", 90)):
        told = {"key": key, "model": (model, {}), "seconds": seconds}
        UncertaintyRecords(tmp_path).write(doubted.model_copy(update=told))
    code, told, _ = voxbench("status", tmp_path)
    assert code == 0
    assert "predictions again: 2 softmax, 1 tta; 3.0 worker-minutes" in told
    _, told, _ = voxbench("status", tmp_path, "--json")
    assert json.loads(told)["predictions again"]["tta"] == {"ok": 1, "seconds": 90}


def test_status_says_which_of_them_failed_and_why(voxbench, tmp_path):
    cell = record(cases(lambda i, _: 0.5, 2), SCRATCH)
    stored(tmp_path, cell)
    told = {"sweep": "tiny", "failure": "Traceback\nDataError: 3.nii.gz is gone"}
    for key, work in (("a", "cubes · seed 0 · tta"), ("b", "cubes · random · round 1")):
        Failures(tmp_path).write(FailureRecord(key=key, work=work, **told))
    code, said, _ = voxbench("status", tmp_path)
    assert code == 1
    assert "1 ok, 0 failed" in said
    assert "2 predictions and rounds failed" in said
    assert "2 × DataError: 3.nii.gz is gone (the first is a)" in said
    _, said, _ = voxbench("status", tmp_path, "--cells")
    assert "b cubes · random · round 1\nTraceback\n" in said
    _, said, _ = voxbench("status", tmp_path, "--json")
    assert [one["key"] for one in json.loads(said)["failed work"]] == ["a", "b"]

    doubted = uncertain(cell, lambda *_: 0.1, lambda _: 0.1)
    UncertaintyRecords(tmp_path).write(doubted.model_copy(update={"key": "a"}))
    _, said, _ = voxbench("status", tmp_path)
    assert "1 predictions and rounds failed" in said


def test_a_model_for_other_networks_is_told_on_one_line(voxbench, words):
    code, _, error = voxbench(*words, "--set", 'uncertainty.models=["ssn"]')
    assert code == 2
    assert 'uncertainty.models: ssn needs recipe.stochastic = "ssn"' in error
    assert len(error.strip().splitlines()) == 1
