"""Before a sweep runs it is said what is mirrored, and where a patch is larger than the volumes."""

from voxbench.running.bind import bind
from voxbench.running.remarks import remarks

from tests.running.conftest import make_sweep

MIRRORED = "example-cubes: mirrored in training: left-right, front-back, top-bottom"
BEYOND = (
    "example-cubes: a patch of 64 × 16 × 16 is larger than 10 of 10 volumes (median 32 × 32 × 32 "
    "voxels, before they are cropped); beyond them lies each case's darkest value"
)
FEW = (
    "example-cubes: 2 test patients, too few for any verdict: it takes 6; `folds = 5` tests on "
    "every patient in turn"
)


def told(**changes) -> list[str]:
    """What is told but that patients are few."""
    return [line for line in remarks(bind(make_sweep(**changes))) if line != FEW]


def test_that_test_patients_are_too_few_for_a_verdict_is_told_unless_folds_test_on_all(example):
    assert remarks(bind(make_sweep())) == [FEW]
    assert "few" not in "".join(remarks(bind(make_sweep(folds=2))))


def test_a_task_that_is_its_own_source_is_told_once(example):
    recipe = {"steps": 4, "patch": [16, 16, 16], "augmentation": "light"}
    pretrained = {"name": "example-denoising", "size": "tiny", "source": "cubes"}
    assert told(recipe=recipe, baselines=[pretrained], pretraining=recipe) == [MIRRORED]


def test_a_patch_that_is_larger_than_the_volumes_is_told(example):
    recipe = {"steps": 4, "patch": [64, 16, 16], "augmentation": "none"}
    assert told(recipe=recipe) == [BEYOND]


def test_how_patches_are_moved_is_told_where_it_depends_on_the_voxels(example):
    recipe = {"steps": 4, "patch": [16, 16, 16], "augmentation": "full"}
    flat = "example-cubes: patches are turned and scaled in all axes, as no slices are thick"
    assert told(recipe=recipe) == [MIRRORED]
    assert told(recipe=recipe | {"dummy_2d": True}) == [MIRRORED, flat]


def test_what_shape_kernels_have_is_told_where_it_is_asked_for(example):
    recipe = {"steps": 4, "patch": [16, 16, 16], "augmentation": "none", "anisotropic": True}
    assert told(recipe=recipe) == ["example-cubes: kernels and strides are cubes, as voxels nearly"]
    follow = "example-cubes: kernels and strides follow voxels of 1 × 1 × 4 mm"
    assert follow in told(recipe=recipe | {"spacing": [1, 1, 4]})


def test_nothing_is_said_of_mirroring_that_does_not_happen(example):
    assert told() == []


def test_what_an_objective_leaves_out_of_the_augmentation_is_told(example):
    recipe = {"steps": 4, "patch": [16, 16, 16], "augmentation": "light"}
    still = recipe | {"augmentation": "none"}
    arm = {"name": "models-genesis", "size": "tiny", "source": "cubes"}
    without = "models-genesis[size=tiny,source=cubes]: pre-trained without the augmentation's "
    assert told(recipe=still, baselines=[arm], pretraining=recipe) == [
        without + "intensity, mirror"
    ]
    assert told(recipe=still, baselines=[arm], pretraining=still) == []


def test_schedules_of_pretraining_that_differ_are_told(example):
    denoising = {"name": "example-denoising", "size": "tiny", "source": "cubes"}
    masked = {**denoising, "name": "masked-autoencoder", "pretraining": {"patch": [32, 16, 16]}}
    assert [line for line in told(baselines=[denoising, masked]) if "pre-trained" in line] == [
        "example-denoising[size=tiny,source=cubes]: pre-trained with patch 16 × 16 × 16",
        "masked-autoencoder[size=tiny,source=cubes]: pre-trained with patch 32 × 16 × 16",
    ]
