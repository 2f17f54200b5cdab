"""Engines are plugins: found by name, set by tables, and a broken one is in nobody's way."""

import json
from pathlib import Path

import pytest
from voxbench.errors import PluginError, SpecError
from voxbench.running.engines.pool import Pool
from voxbench.running.engines.settings import ENGINES, find_engine, user_file
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep

from tests.packages import install
from tests.running.conftest import Notes, make_sweep, planned
from tests.running.quick import quick_cells

THEIRS = '''
from dataclasses import dataclass
from voxbench.running.engines import Engine
from voxbench.running.engines.inline import run_inline

@dataclass(frozen=True)
class Grid(Engine):
    """Our institute's grid.

    Attributes:
        queue: that jobs wait in.
        slots: at a time.
    """

    queue: str
    slots: int = 2

    def work(self, queue, run, hear):
        return run_inline(queue, [run.worker("cpu", 1)], hear)

@dataclass(frozen=True)
class Unready(Grid):
    @classmethod
    def lacks(cls):
        return "it needs a certificate: ask the institute."

class Half(Engine):
    pass
'''


@pytest.fixture
def engines(monkeypatch, tmp_path) -> Path:
    """Packages of others with engines, and a folder for the user's settings."""
    entries = {"grid": "Grid", "unready": "Unready", "half": "Half", "lost": "Nothing"}
    entries |= {"clock": "dataclass"}
    install(monkeypatch, tmp_path, "their-grid", THEIRS, {"voxbench.engines": entries})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    user_file().parent.mkdir(parents=True)
    return tmp_path


def test_a_package_s_engine_runs_a_sweep(engines, example, monkeypatch):
    quick_cells(monkeypatch)
    sweep, notes = make_sweep(engine={"grid": {"queue": "night"}}), Notes()
    done = run_sweep(sweep, engines / "out", Options(engine=find_engine("grid", sweep)), notes)
    assert [one.state for one in done] == ["cached", "cached"]
    assert len(notes.outcomes) == 2


def test_a_sweep_s_table_comes_before_the_user_s(engines):
    user_file().write_text('[grid]\nqueue = "day"\nslots = 7\n')
    found = find_engine("grid", make_sweep(engine={"grid": {"queue": "night"}}))
    assert (found.queue, found.slots) == ("night", 7)
    assert find_engine("grid", make_sweep()).queue == "day"


@pytest.mark.parametrize(
    ("name", "table", "told"),
    [
        ("gird", {}, r"unknown engine 'gird'. Did you mean 'grid'\?"),
        ("grid", {"grid": {"queues": "x"}}, r"unknown field 'queues'. Did you mean 'queue'\?"),
        ("grid", {"grid": {"queue": 3}}, "queue: Input should be a valid string, got 3"),
        ("grid", {}, "needs queue in its table"),
        ("unready", {}, "engine 'unready': it needs a certificate"),
        ("half", {}, "doesn't define work"),
        ("lost", {}, "of their-grid can't be imported"),
        ("clock", {}, r"is <function dataclass.*not a subclass of voxbench.running.engines.Engine"),
    ],
)
def test_what_can_t_be_used_says_why(engines, name, table, told):
    with pytest.raises(PluginError, match=told):
        find_engine(name, make_sweep(engine=table))


def test_a_table_that_names_no_engine_is_no_silence(engines):
    grid = {"queue": "night"}
    with pytest.raises(SpecError, match=r"the sweep's \[engine\]: unknown engine 'gird'"):
        find_engine("grid", make_sweep(engine={"grid": grid, "gird": grid}))
    user_file().write_text("slots = 3")
    with pytest.raises(SpecError, match=r"engines.toml: slots: must be a table, \[slots\]"):
        find_engine("grid", make_sweep(engine={"grid": grid}))


def test_engines_are_listed_with_what_they_lack_and_why_they_are_broken(engines, voxbench):
    code, out, _ = voxbench("ls", "engines", "--json")
    rows = {row["engine"]: row for row in json.loads(out)}
    assert code == 0
    assert rows["grid"]["fields"] == "queue, slots"
    assert rows["unready"]["lacks"] == "it needs a certificate: ask the institute."
    assert "has no attribute 'Nothing'" in rows["lost"]["broken"]
    assert "doesn't define work" in rows["half"]["broken"]
    code, out, _ = voxbench("ls", "engines", "grid")
    assert code == 0
    assert "Our institute's grid." in out
    assert "that jobs wait in." in out


def test_where_a_sweep_is_run_changes_nothing_of_what_is_run(engines, example):
    here, there = make_sweep(), make_sweep(engine={"grid": {"queue": "night"}})
    keys = [[one.key for one in planned(sweep, engines / "out")] for sweep in (here, there)]
    assert keys[0] == keys[1]


def test_this_machine_s_pool_is_an_engine_like_any_other():
    assert ENGINES.objection(Pool) is None
    assert Pool.lacks() is None
