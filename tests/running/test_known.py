"""A folder knows the sweeps that ran in it, and `voxbench work DIR` takes them up."""

import pytest
from voxbench.design.sweep_file import read_sweep
from voxbench.errors import SpecError
from voxbench.records import Store
from voxbench.records.sweeps import known_sweeps, names_known, remember
from voxbench.running.bind import bind
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep
from voxbench.submission.bundle import open_bundle
from voxbench.submission.pack import pack

from tests.running.conftest import make_sweep
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
[engine.pool]
"""


def test_a_sweep_is_remembered_once_as_it_was_but_for_its_engines(tmp_path):
    sweep = make_sweep(engine={"slurm": {"account": "secret"}})
    path = remember(sweep, tmp_path)
    assert remember(sweep, tmp_path) == path
    assert path.parent == tmp_path / "sweeps"
    assert "secret" not in path.read_text()
    assert known_sweeps(tmp_path) == [sweep.model_copy(update={"engine": {}})]


def test_one_that_a_user_has_put_there_is_known_and_not_written_again(tmp_path):
    (tmp_path / "sweeps").mkdir()
    own = tmp_path / "sweeps" / "own.toml"
    own.write_text(SPEC)
    assert remember(read_sweep(own), tmp_path) == own
    assert names_known(tmp_path) == ["own"]


def test_one_that_names_a_place_is_kept_apart_and_sent_to_nobody(example, tmp_path, monkeypatch):
    quick_cells(monkeypatch)
    run_sweep(make_sweep(), tmp_path, Options(jobs=1))
    task = {"name": "nnunet-folder", "root": "/mnt/ward-7/alice/data"}
    path = remember(make_sweep(tasks=[task]), tmp_path)
    assert path.parent == tmp_path / "private"
    assert len(known_sweeps(tmp_path)) == 2
    pack(tmp_path, tmp_path / "bundle.zip")
    with open_bundle(tmp_path / "bundle.zip") as bundle:
        assert set(bundle.raw) == {record.key for record in Store(tmp_path)}


def test_a_folder_without_sweeps_or_with_a_broken_one_is_told(tmp_path):
    with pytest.raises(SpecError, match="no sweep is known there"):
        known_sweeps(tmp_path)
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "own.toml").write_text("name = 3")
    with pytest.raises(SpecError, match=r"own\.toml"):
        known_sweeps(tmp_path)


def test_work_takes_up_all_sweeps_of_a_folder_with_what_was_overridden(
    voxbench, tmp_path, monkeypatch
):
    taken = []

    def run(sweep, root, options, watch):
        taken.append((sweep, root))
        return []

    monkeypatch.setattr("voxbench.running.sweep.run_sweep", run)
    sweeps = [make_sweep(seeds=seeds) for seeds in (1, 2)]
    for sweep in sweeps:
        remember(sweep, tmp_path)
    assert voxbench("work", tmp_path)[0] == 0
    assert {sweep.seeds for sweep, _ in taken} == {(0,), (0, 1)}
    assert {root for _, root in taken} == {tmp_path}


def test_the_sweeps_that_a_folder_knows_have_the_cells_that_ran(example, tmp_path, monkeypatch):
    quick_cells(monkeypatch)
    run_sweep(make_sweep(fractions=["2 shots", 0.5]), tmp_path, Options(jobs=1))
    [known] = known_sweeps(tmp_path)
    assert {one.key for one in bind(known)} == {record.key for record in Store(tmp_path)}


def test_work_on_a_folder_refuses_what_its_sweeps_say_already(voxbench, tmp_path):
    for words in (("--set", "seeds=1"), ("-o", tmp_path)):
        code, _, told = voxbench("work", tmp_path, *words)
        assert code == 2
        assert "leave out -o and --set" in told
    code, _, told = voxbench("work", tmp_path)
    assert code == 2
    assert "no sweep is known there" in told


def test_status_tells_what_is_claimed_and_for_which_sweeps(
    voxbench, example, tmp_path, monkeypatch
):
    quick_cells(monkeypatch)
    run_sweep(make_sweep(), tmp_path, Options(jobs=1))
    claim = tmp_path / "claims" / "ab" / "abc"
    claim.parent.mkdir(parents=True)
    claim.write_text("")
    code, told, _ = voxbench("status", tmp_path)
    assert code == 0
    assert "1 claimed" in told
    assert f"sweeps known here (voxbench work {tmp_path}): tiny-" in told
