"""What is committed of results, and pages made of them: all of it is held against the code here.

Where an intended change makes one of these fail, its message is the command that makes the
committed files again.
"""

import json
import shlex

import pytest
from voxbench.design.cell import Cell
from voxbench.records import Record, Store
from voxbench.run.bind import VERSIONS

from tests.conftest import REPOSITORY

RESULTS = REPOSITORY / "results"
CLAIMS = "voxbench claims results/claims.toml results"
PAGES = {
    "docs/corpora.md": "voxbench ls corpora --markdown",
    "docs/weights.md": "voxbench weights ls --markdown --records results",
}


@pytest.fixture(autouse=True)
def from_the_repository(monkeypatch):
    """Commands are given as a reader would, from the top of the repository."""
    monkeypatch.chdir(REPOSITORY)


def test_every_claim_holds(voxbench):
    code, told, _ = voxbench(*shlex.split(CLAIMS)[1:])
    assert code == 0, f"{told}\nmend results/claims.toml until this passes: {CLAIMS}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_what_its_command_prints(voxbench, page):
    code, told, _ = voxbench(*shlex.split(PAGES[page])[1:])
    assert code == 0
    assert told == (REPOSITORY / page).read_text(encoding="utf-8"), f"{PAGES[page]} > {page}"


def test_every_record_tells_its_cell_and_has_its_key():
    records = list(Store(RESULTS))
    assert records
    for record in records:
        cell = Cell.from_json(record.cell)
        assert cell.to_json() == record.cell
        assert list(cell.to_json()) == list(record.cell)
        if cell.source is None and record.data:  # what a source holds is on no record
            weights = record.weights.sha256 if record.weights else None
            assert cell.key(record.data.fingerprint, weights, None, VERSIONS) == record.key


def test_a_record_is_written_as_it_was_read():
    for path in sorted((RESULTS / "records").glob("*.json")):
        content = path.read_bytes()
        written = Record.model_validate_json(content).model_dump_json(indent=1)
        assert written.encode() == content, f"delete {path}, run its sweep again"


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
