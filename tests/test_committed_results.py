"""What is committed of results: all of it is held against the code here, and nowhere else.

Where an intended change makes one of these fail, its message is the command that makes the
committed files again.
"""

import csv
import json
import re
import shlex
from statistics import fmean

import pytest

from docs.generators.pages import PARTS
from tests.conftest import REPOSITORY

RESULTS = REPOSITORY / "results"
CLAIMS = "voxbench claims results/claims.toml results"


@pytest.fixture(autouse=True)
def from_the_repository(monkeypatch):
    """Commands are given as a reader would, from the top of the repository."""
    monkeypatch.chdir(REPOSITORY)


def test_every_claim_can_be_tested_and_none_is_refuted(voxbench):
    _, told, _ = voxbench(*shlex.split(CLAIMS)[1:], "--json")
    verdicts = {claim["verdict"] for claim in json.loads(told)}
    assert verdicts <= {"holds", "undecided"}, f"{told}\ntell it in results/README.md: {CLAIMS}"


@pytest.mark.parametrize("declared", ["cardiac", "imagenet", "long", "transfer", "tuned"])
def test_every_claim_that_was_declared_before_its_records_can_be_tested(voxbench, declared):
    _, told, _ = voxbench("claims", f"results/claims-{declared}.toml", "results", "--json")
    verdicts = {claim["verdict"] for claim in json.loads(told)}
    assert verdicts <= {"holds", "does not hold", "head start", "undecided"}, told


def test_the_page_of_weights_tells_what_real_files_loaded():
    [row] = [line for line in PARTS["weights"]().splitlines() if line.startswith("| obelisk |")]
    assert "100.0% did (sha256 " in row, "docs/weights.md names weights that no record has"


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize("sweep", sorted((RESULTS / "sweeps").glob("*.toml")), ids=lambda s: s.stem)
def test_every_cell_of_a_sweep_has_its_record(voxbench, real_data, real_weights, sweep):
    code, told, _ = voxbench("plan", sweep, "-o", RESULTS, "--json")
    states = {row["state"] for row in json.loads(told)}
    assert (code, states - {"skipped"}) == (0, {"cached"}), f"voxbench run {sweep} -o results"


@pytest.mark.realdata
@pytest.mark.slow
def test_every_key_is_recomputed_from_the_real_data(voxbench, real_data, tmp_path):
    """Sources and tasks are found through the committed sweeps; nothing is left unchecked."""
    bundle = tmp_path / "bundle.zip"
    assert voxbench("submit", RESULTS, "-o", bundle, "--name", "committed")[0] == 0
    sweeps = [word for path in (RESULTS / "sweeps").glob("*.toml") for word in ("--sweep", path)]
    code, told, _ = voxbench("verify", bundle, *sweeps)
    assert code == 0, f"{told}\nrun what is named there again: voxbench run SWEEP -o results"
    assert "not checked" not in told


def test_every_interval_that_is_told_is_printed_by_a_command(voxbench):
    """Of a table of the report or of a claim, as a gain or as a loss."""
    printed: set[tuple[float, ...]] = set()
    for path in (RESULTS / "tables").glob("*.csv"):
        with path.open(newline="") as table:
            for row in csv.DictReader(table):
                names, told = [*row], [*row.values()]
                for i in range(1, len(told) - 1):
                    if names[i].endswith("low") and all(told[i - 1 : i + 2]):
                        printed |= as_told(*map(float, told[i - 1 : i + 2]))
    for path in RESULTS.glob("claims*.toml"):
        for claim in json.loads(voxbench("claims", path, "results", "--json")[1]):
            for task in claim["tasks"]:
                printed |= as_told(task["effect"], task["low"], task["high"])
    text = " ".join((RESULTS / "README.md").read_text().replace("−", "-").split())
    number = r"([-+]?\d\.\d+)"
    found = re.findall(rf"{number} (?:Dice )?\[{number}, {number}\]", text)
    strange = [one for one in found if tuple(map(float, one)) not in printed]
    assert len(found) > 50
    assert not strange, "results/README.md tells intervals that no table or claim has"


def as_told(*interval: float) -> set[tuple[float, ...]]:
    """A mean with its interval in two or three digits, with either sign."""
    mean, low, high = interval
    sides = (mean, low, high), (-mean, -high, -low)
    return {tuple(round(v, digits) + 0.0 for v in side) for side in sides for digits in (2, 3)}


def test_scratch_beside_nnunet_is_told_as_it_was_measured():
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    with (RESULTS / "nnunet" / "scratch.csv").open() as table:
        for row in csv.DictReader(table):
            seeds = found.setdefault((row["task"], row["trainer"]), {})
            seeds.setdefault(row["seed"], []).append(float(row["dice"]))
    told = (RESULTS / "README.md").read_text()
    assert {task for task, _ in found} == {"hippocampus", "heart"}
    for seeds in found.values():
        means = [fmean(dice) for dice in seeds.values()]
        assert len(means) == 3
        assert f" {fmean(means):.3f} ({min(means):.3f} to {max(means):.3f}) |" in told
