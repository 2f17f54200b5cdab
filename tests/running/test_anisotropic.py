"""Kernels by the voxel size in a sweep: of scratch and of weights made here, never of others."""

from voxbench.records import Store
from voxbench.running.bind import bind
from voxbench.running.options import Options
from voxbench.running.plan import plan_cells
from voxbench.running.sweep import run_sweep
from voxbench.running.task_arm import other_kernels

from tests.running.conftest import make_sweep

ARM = {"name": "masked-autoencoder", "size": "tiny", "source": "cubes", "cube": 4}
FLAT = {"steps": 2, "patch": [16, 16, 8], "augmentation": "none", "spacing": [1, 1, 4]}


def sweep(**recipe):
    return make_sweep(baselines=[ARM], seeds=1, recipe=FLAT | recipe)


def test_scratch_is_trained_with_them_and_has_another_key(example, tmp_path):
    found = []
    for asked in (False, True):
        recipe = FLAT | {"anisotropic": asked, "deep_supervision": True}
        root = tmp_path / str(asked)
        run_sweep(make_sweep(seeds=1, recipe=recipe), root, Options(jobs=1))
        found += Store(root)
    cubic, flat = found
    assert (cubic.status, flat.status) == ("ok", "ok")
    assert cubic.key != flat.key
    assert flat.cost.parameters < cubic.cost.parameters


def test_on_voxels_that_are_cubes_nothing_changes_but_the_key(example, tmp_path):
    recipe = {key: value for key, value in FLAT.items() if key != "spacing"}
    cells = bind(make_sweep(seeds=1, recipe=recipe | {"anisotropic": True}))
    assert [cell.trainings.kernel_spacing for cell in cells] == [None]


def test_weights_of_other_kernels_are_refused_in_words(example, tmp_path):
    planned = plan_cells(bind(sweep(anisotropic=True)), tmp_path)
    reasons = {cell.cell.arm.strategy: cell.reason for cell in planned}
    assert reasons["scratch"] is None
    assert reasons["self-supervised"] == (
        "anisotropic: its weights are made with kernels for cubic voxels, those of the task are "
        "for (1.0, 1.0, 4.0) mm; say the same in [pretraining] and [recipe], on grids of the same "
        "spacing."
    )
    assert [cell.reason for cell in plan_cells(bind(sweep()), tmp_path)] == [None, None]


def test_published_weights_have_cubic_kernels(tmp_path):
    from voxbench.published.file import WeightsFile

    file = WeightsFile(tmp_path / "a.safetensors", "0" * 64)
    assert other_kernels(file, None) is None
    assert other_kernels(file, (1.0, 1.0, 4.0)) == (
        "recipe.anisotropic: its weights have cubic kernels"
    )


def test_a_network_of_one_form_is_told_by_the_plan(example, tmp_path):
    from voxbench.running.plan import with_costs

    arms = [{"name": "scratch", "size": "tiny", "architecture": "unet3d"}]
    cells = bind(make_sweep(baselines=arms, seeds=1, recipe=FLAT | {"anisotropic": True}))
    found, _ = with_costs(plan_cells(cells, tmp_path))
    assert "anisotropic: unet3d has one form" in found[0].reason


def test_a_trial_that_tries_them_has_them(example):
    [cell] = bind(make_sweep(seeds=1, recipe=FLAT))
    tried = cell.trainings.with_values({"recipe.anisotropic": True})
    assert cell.trainings.kernel_spacing is None
    assert tried.kernel_spacing == (1.0, 1.0, 4.0)
