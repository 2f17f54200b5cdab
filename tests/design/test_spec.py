"""A sweep is validated strictly, and every mistake gets one clear line."""

import pytest
from voxbench.design.sweep_file import parse_sweep
from voxbench.errors import SpecError

SWEEP = {"name": "s", "tasks": ["a"], "baselines": ["b"]}


def test_a_list_is_not_too_short_for_items_that_are_wrong():
    with pytest.raises(SpecError, match=r"\Asweep: baselines\.0\.name: [^\n]*\Z"):
        parse_sweep({**SWEEP, "baselines": [{"name": ["scratch", "supervised"]}]})
    with pytest.raises(SpecError, match=r"baselines: .* at least 1 item"):
        parse_sweep({**SWEEP, "baselines": []})


def test_counts_become_lists_and_names_become_tables():
    sweep = parse_sweep({**SWEEP, "seeds": 2, "fractions": ["3 shots", "10%", 1.0]})
    assert sweep.seeds == (0, 1)
    assert [str(fraction) for fraction in sweep.fractions] == ["3 shots", "10%", "100%"]
    assert sweep.tasks[0].name == "a"
    assert sweep.tasks[0].fields == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seedz": 2}, ["unknown key 'seedz'", "Did you mean 'seeds'"]),
        ({"recipe": {"step": 2}}, ["unknown key 'step'", "Did you mean 'steps'", "recipe.step"]),
        ({"fractions": [1.5]}, ["fractions", "1.5"]),
        ({"fractions": [0]}, ["fractions", "0"]),
        ({"fractions": ["0 shots"]}, ["fractions", "0 shots"]),
        ({"fractions": [0.1, "10%"]}, ["fractions", "named twice"]),
        ({"seeds": [1, 1]}, ["seeds", "named twice"]),
        ({"seeds": [-1]}, ["seeds", "-1"]),
        ({"seeds": 0}, ["seeds", "at least one"]),
        ({"tasks": []}, ["tasks"]),
        ({"adaptation": "ful"}, ["adaptation", "'full'", "'ful'"]),
        ({"recipe": {"patch": [4, 32, 32]}}, ["recipe.patch.0", "4"]),
        ({"recipe": {"steps": 0}}, ["recipe.steps", "0"]),
        ({"recipe": {"steps": True}}, ["recipe.steps", "True"]),
        ({"recipe": {"steps": "10"}}, ["recipe.steps", "'10'"]),
        ({"recipe": {"steps": 10.0}}, ["recipe.steps", "10.0"]),
        ({"recipe": {"patch": [True, 32, 32]}}, ["recipe.patch.0", "True"]),
        ({"recipe": {"learning_rate": "0.1"}}, ["recipe.learning_rate", "'0.1'"]),
        ({"recipe": {"compile": "no"}}, ["recipe.compile", "'no'"]),
        ({"pretraining": {"seed": True}}, ["pretraining.seed", "True"]),
        ({"twins": "no"}, ["twins", "'no'"]),
        ({"seeds": [True]}, ["seeds.0", "True"]),
        ({"seeds": ["1"]}, ["seeds.0", "'1'"]),
        ({"seeds": 10_000_000}, ["seeds: at most 1,000,000"]),
        ({"seeds": 2000, "draws": 2000}, ["4,000,000 cells", "at most 1,000,000"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_value(change, words):
    with pytest.raises(SpecError) as caught:
        parse_sweep({**SWEEP, **change})
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_what_is_not_said_is_what_saying_the_default_gives():
    said = {"fractions": [1.0], "draws": [0], "seeds": 3, "adaptation": "full", "twins": True}
    assert parse_sweep(SWEEP) == parse_sweep({**SWEEP, **said, "recipe": {}, "pretraining": {}})
    assert [str(fraction) for fraction in parse_sweep(SWEEP).fractions] == ["100%"]
