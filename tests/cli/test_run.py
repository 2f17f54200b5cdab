"""The command line from a spec to a report, and what it says to mistakes."""

import io
import json
import os
import re
import sys
from pathlib import Path

import pytest
from voxbench.records import Store

from tests.running.conftest import EXAMPLE
from tests.running.quick import quick_cells

SPEC = """
name = "tiny"
tasks = ["cubes"]
fractions = ["2 shots"]
seeds = 1
[[baselines]]
name = "scratch"
size = "tiny"
[recipe]
steps = 3
patch = [16, 16, 16]
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(SPEC)
    return path


def test_from_spec_to_report_and_again(voxbench, spec, tmp_path):
    out = tmp_path / "out"
    words = (spec, "-o", out, "--include-path", EXAMPLE)
    code, plan, _ = voxbench("plan", *words, "--json")
    assert code == 0
    assert [row["state"] for row in json.loads(plan)] == ["missing"]

    code, told, progress = voxbench("run", *words, "-j", "0")
    assert code == 0
    assert "1 cells: 1 missing; 1 jobs to run" in progress
    assert re.search(rf"1 done in \d+ s: {re.escape(str(out))}", progress)
    assert str(out / "report" / "report.md") in told
    assert (out / "report" / "report.md").is_file()
    assert len(Store(out).files()) == 1

    code, _, progress = voxbench("run", *words, "-j", "0")
    assert code == 0
    assert "1 cells: 1 cached; 0 jobs to run" in progress

    code, status, _ = voxbench("status", out, "--json")
    assert code == 0
    counts = {"ok": 1, "failed": [], "smoke": 0, "claimed": 0, "pilots": None}
    sweeps = [path.stem for path in (out / "sweeps").iterdir()]
    assert json.loads(status) == counts | {"sweeps": sweeps}


def test_a_failed_cell_is_told_and_shown_by_status(voxbench, spec, tmp_path):
    out = tmp_path / "out"
    words = ("-o", out, "--include-path", EXAMPLE, "-j", "0")
    code, _, progress = voxbench("run", spec, *words, "--set", "recipe.patch=[20,16,16]")
    assert code == 1
    assert "failed: " in progress
    code, status, _ = voxbench("status", out)
    assert code == 1
    assert "0 ok, 1 failed" in status
    assert "multiples of" in status


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "smok"], "Did you mean 'smoke'"),
        (["plan", "smoke", "--set", "sedes=2"], "Did you mean 'seeds'"),
        (["plan", "smoke", "--set", "fractions=[7]"], "fractions.0: 7"),
        (["plan", "smoke", "--include-path", "nowhere"], "no *.py file"),
        (["status", "nowhere"], "no records there"),
        (["report", "nowhere"], "nowhere"),
        (["check"], "name a task with -t"),
        (["check", "-b", "scrach"], "Did you mean 'scratch'"),
        (["prepare", "phantom-atlaz"], "Did you mean 'phantom-atlas'"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_two(voxbench, words, said):
    code, _, error = voxbench(*words)
    assert code == 2
    assert error.startswith("voxbench: ")
    assert said in error
    assert "Traceback" not in error


def test_a_terminal_of_few_letters_and_a_notebook_s_backend_are_no_faults(
    voxbench, spec, tmp_path, monkeypatch
):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", write_through=True)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("MPLBACKEND", "module://nowhere.backend_inline")
    code, *_ = voxbench("plan", spec, "-o", tmp_path / "out", "--include-path", EXAMPLE)
    assert code == 0
    assert "? min" in stream.buffer.getvalue().decode("latin-1")
    assert os.environ["MPLBACKEND"] == "agg"


def test_sysinfo_names_versions_and_places(voxbench):
    code, out, _ = voxbench("sysinfo", "--json")
    assert code == 0
    assert {"python", "versions", "cpus", "cache", "gpus"} <= json.loads(out).keys()


DENOISING = '"example-denoising"\nsource = "cubes"\nnoise = 0.1'


def test_a_race_tells_what_is_settled_and_its_report_says_so(voxbench, spec, tmp_path, monkeypatch):
    quick_cells(monkeypatch)
    spec.write_text(SPEC.replace('"scratch"', DENOISING).replace("seeds = 1", "seeds = 8"))
    out = tmp_path / "out"
    words = (spec, "-o", out, "--include-path", EXAMPLE, "-j", "0", "--until-settled")
    code, told, _ = voxbench("run", *words)
    assert code == 0
    assert "1 of 1 comparisons are settled: 1 better." in told
    assert "were not needed and not run" in told
    tables = (out / "report" / "tables" / "effects-dice.md").read_text()
    assert "settled by racing after " in tables
    code, _, progress = voxbench("run", *words)
    assert code == 0
    assert "; 0 jobs to run" in progress


def test_a_race_needs_two_seeds(voxbench, spec, tmp_path):
    spec.write_text(SPEC.replace('"scratch"', DENOISING))
    words = (spec, "-o", tmp_path / "out", "--include-path", EXAMPLE, "--until-settled")
    code, _, error = voxbench("run", *words)
    assert code == 2
    assert "needs 2 trainings or more" in error


def test_weights_are_kept_and_the_seeds_of_a_cell_averaged(voxbench, spec, tmp_path):
    words = (spec, "-o", tmp_path / "out", "--include-path", EXAMPLE, "--set", "seeds=2")
    assert "weights would take 1.2 MiB" in voxbench("plan", *words)[1]
    code, _, told = voxbench("ensemble", *words)
    assert (code, "run the sweep with --keep-weights" in told) == (2, True)
    assert voxbench("run", *words, "-j", "0", "--keep-weights")[0] == 0
    code, told, _ = voxbench("ensemble", *words, "--json")
    assert code == 0
    (row,) = json.loads(told)
    assert row["seeds"] == 2
    assert 0 <= row["Dice together"] <= 1
