"""What a sweep will take is told before anything has run, and what can't be built is told too."""

import pytest
from voxbench.plugins import find_baseline
from voxbench.records.uncertainty import UncertaintyRecords
from voxbench.running import estimate
from voxbench.running.active import ActivePlan
from voxbench.running.again import seconds_of_predictions, seconds_of_rounds
from voxbench.running.bind import bind
from voxbench.running.jobs import PretrainingJob, jobs_for
from voxbench.running.passes import Network
from voxbench.running.plan import plan_cells, with_costs
from voxbench.running.uncertainty import UncertaintyPlan

from tests.analyses.records import cases, record
from tests.analyses.test_uncertainty import uncertain
from tests.running.conftest import make_sweep

SHORT = {"steps": 2, "patch": [16, 16, 16], "augmentation": "none"}
ARM = {"name": "masked-autoencoder", "size": "tiny", "source": "cubes"}


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """A machine that does a billion operations a second."""
    monkeypatch.setattr(estimate, "_rate", lambda _network: 1e9)


def planned(sweep, root):
    return with_costs(plan_cells(bind(sweep), root))


def test_operations_of_a_pass_are_those_of_its_convolutions():
    tiny = Network(find_baseline("scratch"), 1, 1, (16, 16, 16))
    double = tiny._replace(patch=(32, 16, 16))
    assert estimate.operations(double) == pytest.approx(2 * estimate.operations(tiny), rel=1e-6)


def test_a_cell_and_weights_of_ten_times_the_steps_take_ten_times_as_long(example, tmp_path):
    found = {}
    for steps in (10, 100):
        schedule = {"steps": steps, "patch": [16, 16, 16], "overlap": 0}
        weights = {"steps": steps, "patch": [16, 16, 16]}
        sweep = make_sweep(baselines=[ARM], seeds=1, recipe=schedule, pretraining=weights)
        cells, made = planned(sweep, tmp_path / str(steps))
        assert {cell.state for cell in cells} == {"missing"}
        assert [one.made for one in made] == [False]
        found[steps] = cells[0].seconds, made[0].seconds
    # 32³ voxels are 8 windows of 16³, of each of 2 test cases; a step is 2 patches, thrice
    (short, trained), (long, made) = found[10], found[100]
    a_pass = trained / 60
    assert made == pytest.approx(600 * a_pass)
    assert short == pytest.approx((60 + 16) * a_pass, rel=0.05)  # the head is another
    assert long - short == pytest.approx(540 * a_pass, rel=0.05)


def test_a_slow_architecture_makes_no_other_seem_slow(example, tmp_path, monkeypatch):
    speed = {"unet": 1e9, "segresnet": 1e6}
    monkeypatch.setattr(estimate, "_rate", lambda network: speed[network.baseline.architecture])
    slow = {"name": "scratch", "architecture": "segresnet", "size": "small"}
    fast = {"name": "scratch", "size": "tiny"}
    [alone], _ = planned(make_sweep(baselines=[fast], seeds=1, recipe=SHORT), tmp_path)
    cells, _ = planned(make_sweep(baselines=[slow, fast], seeds=1, recipe=SHORT), tmp_path)
    seconds = {cell.cell.arm.baseline: cell.seconds for cell in cells}
    assert seconds[alone.cell.arm.baseline] == alone.seconds
    assert max(seconds.values()) > 1000 * alone.seconds


def test_the_network_that_arms_share_with_their_twin_is_counted_once(
    example, tmp_path, monkeypatch
):
    counted = []
    monkeypatch.setattr(estimate, "operations", lambda network: counted.append(network) or 1e9)
    arms = [{"name": "scratch", "size": "tiny"}, ARM | {"ratio": [0.5, 0.6, 0.7]}]
    planned(make_sweep(baselines=arms, seeds=1), tmp_path)
    assert len(set(counted)) == 2  # in training on the task's classes, and on the source's


def test_what_predicts_again_is_told_by_its_passes_or_by_what_was_done(example, tmp_path):
    asked = {"models": ["softmax", "tta"]}
    active = {"budget": 1, "rounds": 1}
    sweep = make_sweep(seeds=1, recipe=SHORT, uncertainty=asked, active=active)
    cells, bound = planned(sweep, tmp_path)[0], bind(sweep)
    plan = UncertaintyPlan.of(sweep, bound, tmp_path)
    softmax, tta = (job.id for job in plan.all)
    found = seconds_of_predictions(plan, cells)
    runs = found[tta] / found[softmax]
    assert runs in (2, 4, 8, 16)  # with the axes that a cube may be mirrored along
    drawn, doubted = seconds_of_rounds(ActivePlan.of(sweep, bound, tmp_path), cells).values()
    assert drawn == pytest.approx(cells[0].seconds)
    assert doubted > drawn

    told = uncertain(record(cases(lambda *_: 0.5, 1)), lambda *_: 0.1, lambda _: 0.1)
    UncertaintyRecords(tmp_path).write(told.model_copy(update={"key": softmax, "seconds": 7.0}))
    assert seconds_of_predictions(plan, cells) == {softmax: 7.0, tta: pytest.approx(7.0 * runs)}


@pytest.mark.parametrize(
    ("arm", "told"),
    [
        ({"name": "scratch", "size": "tinny"}, "Did you mean 'tiny'"),
        ({"name": "scratch", "size": "tiny", "architecture": "segresnet"}, None),
    ],
)
def test_a_size_that_there_is_not_is_told_by_the_plan(example, tmp_path, arm, told):
    cells, _ = planned(make_sweep(baselines=[arm], seeds=1), tmp_path)
    assert (cells[0].reason is None) == (told is None)
    assert (told or "") in (cells[0].reason or "")


def test_a_patch_that_the_network_can_t_take_is_told_by_the_plan(example, tmp_path):
    recipe = {"steps": 1, "patch": [20, 16, 16]}
    cells, _ = planned(make_sweep(seeds=1, recipe=recipe), tmp_path)
    assert "multiples of" in cells[0].reason


def test_a_network_that_can_t_be_supervised_deeply_is_told_by_the_plan(example, tmp_path):
    arms = [{"name": "scratch", "size": "tiny", "architecture": ["unet", "unet3d"]}]
    recipe = {"steps": 1, "patch": [16, 16, 16], "deep_supervision": True}
    cells, _ = planned(make_sweep(baselines=arms, seeds=1, recipe=recipe), tmp_path)
    assert [cell.reason and cell.reason[:16] for cell in cells] == [None, "deep_supervision"]


def test_an_arm_and_its_twin_come_seed_by_seed(example):
    jobs = jobs_for(bind(make_sweep(baselines=[{**ARM, "decoder": [True, False]}], seeds=2)))
    cells = [job.cell.arm for job in jobs if not isinstance(job, PretrainingJob)]
    names = [(arm.seed, arm.strategy) for arm in cells]
    one = ["self-supervised", "scratch", "self-supervised"]
    assert names == [(seed, strategy) for seed in (0, 1) for strategy in one]
