"""A broken package of others is listed with its reason, and in nobody's way elsewhere."""

import json

import pytest

from tests.packages import install

TASKS, BASELINES = "voxbench.tasks", "voxbench.baselines"
CARD = 'strategy="supervised", licence="MIT", reference="A. Author, 2024"'
ODD = f"""
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from voxbench.api import Baseline, BaselineCard, Published, Task

class NoTask:
    folder = "here"

@dataclass(frozen=True, kw_only=True)
class Unwritten(Task):
    folder: ClassVar = "here"

@dataclass(frozen=True, kw_only=True)
class BadCard(Task):
    generated: ClassVar = True

    @property
    def card(self):
        return 1 / 0

    def cases(self):
        return {{}}

@dataclass(frozen=True, kw_only=True)
class NoCard(Baseline):
    pass

@dataclass(frozen=True, kw_only=True)
class NoNetwork(Published):
    architecture: str = "nowhere"
    card: ClassVar = BaselineCard(name="no-network", {CARD})
"""
SWEEP = """
name = "{name}"
tasks = "{task}"
baselines = "{baseline}"
seeds = 1

[recipe]
steps = 1
patch = [32, 32, 32]
"""


@pytest.fixture
def broken(monkeypatch, tmp_path):
    """Six packages: some can't be imported, some bring what is no plugin, one takes a name."""

    def package(name: str, code: str, **groups: dict[str, str]) -> None:
        folder = tmp_path / name
        folder.mkdir()
        named = {f"voxbench.{kind}": entries for kind, entries in groups.items()}
        install(monkeypatch, folder, name, code, named)

    package(
        "lost",
        "import nothing_there",
        tasks={"lost": "Any"},
        baselines={"lost": "Any"},
        corpora={"lost": "corpora.toml"},
    )
    package("leaves", "raise SystemExit(3)", tasks={"leaves": "Any"})
    package(
        "misnamed",
        f"from voxbench.api import BaselineCard\ncard = BaselineCard(name='Big Name', {CARD})",
        baselines={"misnamed": "Any"},
    )
    package("unborn", "", baselines={"unborn": "Any"})
    package("taker", ODD, tasks={"msd-heart": "Unwritten"}, baselines={"stu-net": "NoCard"})
    package(
        "odd",
        ODD,
        tasks={"no-task": "NoTask", "unwritten": "Unwritten", "bad-card": "BadCard"},
        baselines={"no-card": "NoCard", "no-network": "NoNetwork"},
        architectures={"no-sizes": "NoTask", "unet": "NoTask"},
    )
    return tmp_path


def listed(voxbench, what: str) -> dict[str, str | None]:
    """Name → why it is broken."""
    code, out, err = voxbench("ls", what, "--json")
    assert (code, err) == (0, "")
    return {row[what.removesuffix("s")]: row["broken"] for row in json.loads(out)}


def test_tasks_are_listed_with_the_reasons(broken, voxbench):
    told = listed(voxbench, "tasks")
    reasons = {
        "lost": "of lost can't be imported: ModuleNotFoundError: No module named 'nothing_there'",
        "leaves": "of leaves can't be imported: SystemExit: 3",
        "msd-heart": "is registered twice, by",
        "no-task": "is <class 'odd.NoTask'>, not a subclass of voxbench.api.Task",
        "unwritten": "of odd doesn't define card, cases",
        "bad-card": "ZeroDivisionError: division by zero",
    }
    assert {name for name, reason in told.items() if reason} == reasons.keys()
    assert all(reason in told[name] for name, reason in reasons.items())
    assert told["phantom-atlas"] is None


def test_baselines_are_listed_with_the_reasons(broken, voxbench):
    told = listed(voxbench, "baselines")
    reasons = {
        "lost": "No module named 'nothing_there'",
        "misnamed": "of misnamed can't be imported: BaselineCard: name: String should match",
        "unborn": "AttributeError: module 'unborn' has no attribute 'Any'",
        "stu-net": "is registered twice, by",
        "no-card": "of odd has no `card`, a voxbench.api.BaselineCard",
    }
    assert {name for name, reason in told.items() if reason} == reasons.keys()
    assert all(reason in told[name] for name, reason in reasons.items())
    assert "taker" in told["stu-net"]
    assert "voxbench" in told["stu-net"]


def test_architectures_are_listed_with_the_reasons(broken, voxbench):
    told = listed(voxbench, "architectures")
    assert {name for name, reason in told.items() if reason} == {"no-sizes", "unet"}
    assert "is <class 'odd.NoTask'>, not a voxbench.api.Architecture" in told["no-sizes"]
    assert "is registered twice, by" in told["unet"]


def test_corpora_are_listed_beside_a_file_that_can_t_be_read(broken, voxbench):
    code, out, err = voxbench("ls", "corpora", "--json")
    assert code == 0
    assert "LiTS" in {row["corpus"] for row in json.loads(out)}
    assert err.startswith("broken: voxbench.corpora: lost:corpora.toml can't be read (")


def test_the_reason_stands_in_the_table_that_people_see(broken, voxbench):
    code, out, _ = voxbench("ls", "baselines")
    assert code == 0
    assert "can't be imported: ModuleNotFoundError: No module named 'nothing_there'." in out


def test_a_table_without_broken_ones_has_no_column_for_them(voxbench):
    assert "broken" not in voxbench("ls", "tasks")[1]


def test_published_weights_are_listed_beside_them(broken, voxbench):
    code, out, err = voxbench("weights", "ls", "--json")
    assert code == 0
    assert "suprem-unet" in {row["baseline"] for row in json.loads(out)}
    assert "lost is broken: baseline 'lost' of lost can't be imported" in err
    assert "no-network is broken: unknown architecture 'nowhere'" in err


def test_a_sweep_that_uses_none_of_them_is_planned(broken, voxbench):
    spec = broken / "sweep.toml"
    spec.write_text(SWEEP.format(name="sound", task="phantom-lesion", baseline="supervised"))
    code, out, err = voxbench("plan", spec, "-o", broken / "out", "--json")
    assert (code, err) == (0, "")
    assert [cell["state"] for cell in json.loads(out)] == ["missing"] * 2


@pytest.mark.parametrize(
    ("task", "baseline", "reason"),
    [
        ("lost", "scratch", "task 'lost' of lost can't be imported: ModuleNotFoundError"),
        ("phantom-lesion", "no-card", "baseline 'no-card' of odd has no `card`"),
        ("phantom-lesion", "stu-net", "baseline 'stu-net' is registered twice, by"),
        ("phantom-lesion", "lots", "unknown baseline 'lots'. Did you mean 'lost'?"),
    ],
)
def test_a_sweep_that_uses_one_says_why_it_can_t(broken, voxbench, task, baseline, reason):
    spec = broken / "sweep.toml"
    spec.write_text(SWEEP.format(name="broken", task=task, baseline=baseline))
    code, out, err = voxbench("plan", spec, "-o", broken / "out")
    assert (code, out) == (2, "")
    assert reason in err
    assert err.count("\n") == 1
