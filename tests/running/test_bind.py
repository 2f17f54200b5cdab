"""A sweep becomes every pairing of its axes, each once, with its twins."""

import pickle

import pytest
from voxbench.errors import PluginError, SpecError
from voxbench.running import bind as binding
from voxbench.running import task_arm
from voxbench.running.bind import bind

from tests.running.conftest import make_sweep

SUPERVISED = {"name": "supervised", "size": "tiny", "source": "cubes"}


def labels(cells) -> list[str]:
    return list(dict.fromkeys(cell.arm.baseline for cell in cells))


def test_the_axes_are_multiplied(example):
    cells = bind(make_sweep(fractions=["2 shots", 1.0], draws=3, adaptation=["full", "frozen"]))
    assert len(cells) == 2 * 3 * 2 * 2
    assert len({cell.cell for cell in cells}) == len(cells)


def test_a_list_of_a_baseline_is_an_axis(example):
    arms = [{"name": "scratch", "size": ["tiny", "small"], "architecture": ["unet", "segresnet"]}]
    assert labels(bind(make_sweep(baselines=arms))) == [
        "scratch[size=tiny]",
        "scratch[architecture=segresnet,size=tiny]",
        "scratch",
        "scratch[architecture=segresnet]",
    ]


def test_the_twin_of_the_same_network_is_added_once(example):
    arms = [{**SUPERVISED, "volumes": [2, 3]}, {"name": "masked-autoencoder", "size": "tiny"}]
    cells = bind(make_sweep(baselines=arms))
    assert labels(cells)[-1] == "scratch[size=tiny]"
    assert len(labels(cells)) == 4
    assert {cell.arm.twin for cell in cells} == {"scratch[size=tiny]", None}


def test_a_twin_that_is_listed_is_not_added_again(example):
    arms = [{"name": "scratch", "size": "tiny"}, {"name": "masked-autoencoder", "size": "tiny"}]
    assert len(labels(bind(make_sweep(baselines=arms)))) == 2


def test_twins_can_be_left_out(example):
    arms = [{"name": "masked-autoencoder", "size": "tiny"}]
    assert len(labels(bind(make_sweep(baselines=arms, twins=False)))) == 1


def test_supervision_by_the_task_itself_is_skipped_with_the_reason(example):
    cells = bind(make_sweep(baselines=[SUPERVISED]))
    reasons = {cell.arm.baseline.partition("[")[0]: cell.trainings.reason for cell in cells}
    assert "task itself" in reasons["supervised"]
    assert reasons["scratch"] is None


def test_a_source_is_found_in_the_sweep_or_among_the_tasks(example):
    arms = [{"name": "masked-autoencoder", "source": ["mine", "cubes"], "size": "tiny"}]
    sources = {"mine": {"name": "cubes", "volumes": 8}}
    cells = bind(make_sweep(baselines=arms, sources=sources))
    found = {cell.cell.source.values.get("volumes") for cell in cells if cell.cell.source}
    assert found == {8, 10}


def test_an_unknown_source_gets_the_nearest_one(example):
    arms = [{"name": "masked-autoencoder", "source": "cubez"}]
    with pytest.raises(SpecError, match=r"unknown source 'cubez'.*'cubes'"):
        bind(make_sweep(baselines=arms))


@pytest.mark.parametrize("axis", [[], ["tiny", "tiny"]])
def test_an_axis_without_or_with_repeated_values_is_refused(example, axis):
    with pytest.raises(SpecError, match=r"baselines\.scratch\.size"):
        bind(make_sweep(baselines=[{"name": "scratch", "size": axis}]))


def test_two_tasks_of_one_name_are_refused(example):
    tasks = [{"name": "cubes", "volumes": 5}, {"name": "cubes", "volumes": 6}]
    with pytest.raises(SpecError, match="example-cubes is named by two"):
        bind(make_sweep(tasks=tasks))


def test_an_unknown_baseline_is_named(example):
    with pytest.raises(PluginError, match="Did you mean 'scratch'"):
        bind(make_sweep(baselines=["scratsh"]))


def test_a_limit_shortens_the_schedules_and_changes_the_cell(example):
    arms = [{"name": "masked-autoencoder", "size": "tiny"}]
    limited = bind(make_sweep(baselines=arms), limit=2)
    assert {cell.cell.recipe.steps for cell in limited} == {2}
    assert {cell.cell.pretraining.steps for cell in limited if cell.cell.pretraining} == {2}
    assert not {c.cell for c in limited} & {c.cell for c in bind(make_sweep(baselines=arms))}


def test_a_task_its_data_and_an_arms_weights_are_looked_up_once(example, monkeypatch):
    told = []
    looked_up = (binding, "find_task"), (binding, "open_dataset")
    for module, name in (*looked_up, (task_arm, "plan_pretraining")):
        found = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda *given, n=name, f=found: told.append(n) or f(*given)
        )
    arms = [{"name": "masked-autoencoder", "size": "tiny", "source": "cubes"}]
    cells = bind(make_sweep(baselines=arms, seeds=3, fractions=["2 shots", 1.0]))
    assert len(cells) == 2 * 3 * 2
    assert sorted(told) == ["find_task", "open_dataset", "plan_pretraining"]


def test_a_bound_cell_travels_to_another_process(example):
    arms = [{"name": "masked-autoencoder", "size": "tiny", "source": "cubes"}]
    for cell in bind(make_sweep(baselines=arms)):
        assert pickle.loads(pickle.dumps(cell)) == cell


def test_bound_cells_know_key_verdict_and_weights_and_skipped_ones_why(example):
    arms = [{"name": "masked-autoencoder", "size": "tiny", "source": "cubes", "volumes": [3, 99]}]
    few, many, twin = bind(make_sweep(baselines=arms, seeds=1))
    assert len(few.trainings.weights.cases) == 3
    assert few.trainings.contamination.status == twin.trainings.contamination.status == "clean"
    assert few.key != twin.key
    assert twin.trainings.weights is None
    assert "ask for 1 to 7" in many.trainings.reason
    assert (many.key, many.trainings.weights, many.trainings.contamination) == ("", None, None)


def test_a_schedule_of_a_baseline_s_own_names_other_weights_and_leaves_the_others(example):
    denoising = {"name": "example-denoising", "size": "tiny", "source": "cubes"}
    supervised = {**denoising, "name": "supervised", "source": "phantom-atlas", "volumes": 2}

    def cells(own):
        arms = [{**denoising, "pretraining": own}, supervised]
        return {cell.arm.baseline: cell for cell in bind(make_sweep(baselines=arms, seeds=1))}

    plain, other = cells({}), cells({"learning_rate": 0.5})
    changed = [label for label in plain if plain[label].key != other[label].key]
    assert changed == ["example-denoising[size=tiny,source=cubes]"]
    [arm] = changed
    assert other[arm].cell.pretraining.learning_rate == 0.5
    assert other[arm].trainings.weights.schedule == other[arm].cell.pretraining
    assert plain[arm].key == cells({"learning_rate": 1e-3})[arm].key, "it is the default"


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        (
            {"name": "example-denoising", "pretraining": {"lerning_rate": 1}},
            "baselines.example-denoising.pretraining: unknown key 'lerning_rate'",
        ),
        (
            {"name": "scratch", "pretraining": {"steps": 1}},
            "baselines.scratch.pretraining: it is not pre-trained here",
        ),
    ],
)
def test_a_schedule_that_can_not_be_is_one_error_at_planning(example, arm, message):
    with pytest.raises(SpecError) as caught:
        bind(make_sweep(baselines=[{**arm, "size": "tiny"}]))
    assert str(caught.value).startswith(message)
