from importlib.metadata import version

import pytest
from voxbench.cli import PANELS


@pytest.fixture
def wide(monkeypatch):
    """A terminal that breaks no line."""
    monkeypatch.setenv("COLUMNS", "200")


def test_the_help_is_grouped_by_what_people_do(voxbench, wide):
    code, out, _ = voxbench("--help")
    titles = [line for line in out.splitlines() if line.startswith("╭─")]
    assert code == 0
    assert [title.strip("╭╮─ ") for title in titles] == ["Options", *PANELS]


@pytest.mark.parametrize("verb", ["run", "import", "ls", "weights", "leaderboard"])
def test_a_verb_is_called_by_its_plain_name(voxbench, wide, verb):
    assert voxbench(verb, "--help")[0] == 0
    assert any(line.startswith(f"│ {verb} ") for line in voxbench("--help")[1].splitlines())


def test_the_version_is_that_of_the_distribution(voxbench):
    code, out, _ = voxbench("--version")
    assert (code, out) == (0, f"voxbench {version('voxbench')}\n")
