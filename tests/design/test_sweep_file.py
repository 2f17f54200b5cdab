"""A sweep is read from a file with overrides, its mistakes are told at once, and it is written."""

from pathlib import Path

import pytest
from voxbench.design.sweep_file import parse_override, parse_sweep, read_sweep, written_sweep
from voxbench.design.toml import parse_toml
from voxbench.errors import SpecError

SWEEP = {"name": "s", "tasks": ["a"], "baselines": ["b"]}


def test_all_mistakes_are_told_at_once():
    with pytest.raises(SpecError) as caught:
        parse_sweep({**SWEEP, "seedz": 1, "fractions": [2]})
    assert "seedz" in str(caught.value)
    assert "fractions" in str(caught.value)


def test_overrides_reach_nested_keys(tmp_path: Path):
    path = tmp_path / "s.toml"
    path.write_text('name = "s"\ntasks = ["a"]\nbaselines = ["b"]\n')
    sweep = read_sweep(path, ["recipe.steps=50", "seeds=[3]", "recipe.optimiser=sgd"])
    assert sweep.recipe.steps == 50
    assert sweep.seeds == (3,)
    assert sweep.recipe.optimiser == "sgd"


@pytest.mark.parametrize("text", ["steps", "=3", ""])
def test_an_override_without_key_and_value_is_refused(text):
    with pytest.raises(SpecError, match="key=value"):
        parse_override(text)


def test_broken_toml_names_the_file(tmp_path: Path):
    path = tmp_path / "s.toml"
    path.write_text("name = ")
    with pytest.raises(SpecError, match=r"s\.toml: not valid TOML"):
        read_sweep(path)
    with pytest.raises(SpecError, match="can't be read"):
        read_sweep(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"fractions": [1 / 3, "5 shots"], "seeds": [4, 7], "adaptation": ["full", "frozen"]},
        {"baselines": [{"name": "supervised", "source": {"union": ["a", "b"]}, "volumes": [1, 2]}]},
        {"recipe": "nnunet", "pretraining": {"steps": 7}},
        {"recipe": {"steps": [5, 10], "patch": "plan", "learning_rate": 1e-5}},
        {"recipe": {"batch": "plan", "cubes": {"batch": 3, "spacing": "plan"}}},
        {"tuning": {"trials": 3, "space": {"recipe.learning_rate": {"low": 1e-4, "high": 1}}}},
        {"tasks": [{"name": "cubes", "root": 'a "b"\\ü'}], "engine": {"slurm": {"time": 9}}},
    ],
)
def test_a_sweep_is_written_for_others_as_it_is(table):
    usual = {"name": "x", "tasks": ["cubes"], "baselines": ["scratch"]}
    sweep = parse_sweep({**usual, **table})
    text = written_sweep(sweep)
    assert parse_sweep(parse_toml(text, "x")) == sweep.model_copy(update={"engine": {}})
    assert "slurm" not in text
