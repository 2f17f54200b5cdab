"""A case is scored on the grid of its reference, and a failed prediction scores worst."""

import math
from dataclasses import replace

import nibabel
import numpy as np
import pytest
import torch
from torch import nn
from voxbench.api import Case
from voxbench.data.prepare import prepare_cases
from voxbench.design.preprocessing import Preprocessing, ZScore
from voxbench.design.recipe import Recipe
from voxbench.predict.case import score_case

from tests.data.toy import card
from tests.example_plugin.voxbench_example.cubes import Cubes

RECIPE = Recipe(patch=(16, 16, 16))


class Threshold(nn.Module):
    """Calls foreground what is brighter than halfway, 1.3 deviations above the mean."""

    def forward(self, x):
        return torch.cat([torch.zeros_like(x), x - 1.3], dim=1)


class Broken(nn.Module):
    """Fails on every window."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, x):
        raise self.error


@pytest.fixture
def case(tmp_path) -> Case:
    """A bright box, clean, in an anisotropic volume whose axes point the other way."""
    mask = np.zeros((30, 24, 12), np.uint8)
    mask[8:20, 6:18, 3:9] = 1
    affine = np.diag([-1.0, -1.0, 3.0, 1.0])
    for name, array in (("image", mask.astype(np.float32)), ("label", mask)):
        nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / f"{name}.nii.gz")
    return Case("box", (tmp_path / "image.nii.gz",), tmp_path / "label.nii.gz", "p")


def score(case: Case, network: nn.Module, tmp_path, spacing_mm):
    task = Cubes(root=tmp_path)
    grid = Preprocessing(spacing_mm=spacing_mm, intensity=ZScore(), crop="none")
    prepared = prepare_cases(task.card, [case], grid)[case.id]
    return score_case(network, case, prepared, task.card, RECIPE, "cpu")


def test_a_clean_box_is_found_exactly_on_its_own_grid(case, tmp_path):
    found = score(case, Threshold(), tmp_path, None)
    assert found.failure is None
    cube = found.classes["cube"]
    assert (cube.dice, cube.nsd, cube.hd95_mm, cube.flag) == (1.0, 1.0, 0.0, "")
    assert cube.volume_mm3_reference == cube.volume_mm3_prediction == 12 * 12 * 6 * 3


def test_a_resampled_prediction_is_scored_on_the_native_grid(case, tmp_path):
    cube = score(case, Threshold(), tmp_path, (1.5, 1.5, 1.5)).classes["cube"]
    assert cube.volume_mm3_reference == 12 * 12 * 6 * 3
    assert 0.8 < cube.dice < 1


def test_each_rater_has_a_dice_and_one_who_gave_no_map_has_none(case, tmp_path):
    """The box has 12·12·6 voxels, a rater drew half of it: 2·½ / 1½ = ⅔."""
    label = nibabel.load(case.label)
    half = np.asarray(label.dataobj).copy()
    half[:, :, 6:] = 0
    nibabel.save(nibabel.Nifti1Image(half, label.affine), tmp_path / "half.nii.gz")
    raters = {"a": case.label, "b": tmp_path / "half.nii.gz", "c": None}
    found = score(replace(case, raters=raters), Threshold(), tmp_path, None)
    (name,) = found.classes
    assert found.classes[name].dice == 1
    assert found.raters == {"a": {name: 1}, "b": {name: pytest.approx(2 / 3)}, "c": {}}
    failed = score(replace(case, raters=raters), Broken(RuntimeError("odd")), tmp_path, None)
    assert failed.raters == {"a": {name: 0}, "b": {name: 0}, "c": {}}
    assert "raters" not in score(case, Threshold(), tmp_path, None).model_dump_json()


def test_a_failed_prediction_scores_worst_and_says_why(case, tmp_path):
    found = score(case, Broken(RuntimeError("sizes differ")), tmp_path, None)
    assert found.failure == "RuntimeError: sizes differ"
    cube = found.classes["cube"]
    assert (cube.dice, cube.nsd, cube.flag) == (0.0, 0.0, "failed")
    assert cube.hd95_mm == pytest.approx(math.hypot(30, 24, 36))


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory"
        ),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
        MemoryError("Unable to allocate 31.0 GiB for an array"),
        OSError(5, "Input/output error"),
    ],
    ids=lambda error: str(error)[:30],
)
def test_a_machine_that_fails_is_no_score(case, tmp_path, error):
    with pytest.raises(type(error)):
        score(case, Broken(error), tmp_path, None)


def test_a_class_that_was_not_annotated_is_not_scored(case, tmp_path):
    partial = replace(case, labelled=frozenset())
    assert score(partial, Threshold(), tmp_path, None).classes == {}


def labelled_as(case: Case, tmp_path, values: np.ndarray, **described):
    """The score of a perfect threshold where the reference is drawn otherwise."""
    affine = np.diag([-1.0, -1.0, 3.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / "label.nii.gz")
    described = {"spacing_mm": None, "channels": ("image",), **described}
    described["tolerance_mm"] = dict.fromkeys(described["classes"], 1.0)
    task_card = card(**described)
    rule = Preprocessing(intensity=ZScore(), crop="none")
    prepared = prepare_cases(task_card, [case], rule)[case.id]
    return score_case(Threshold(), case, prepared, task_card, RECIPE, "cpu").classes


def test_nothing_is_scored_where_nobody_annotated(case, tmp_path):
    values = np.zeros((30, 24, 12), np.uint8)
    values[8:20, 6:18, 3:9] = 1
    values[:, :12] = 9  # half of the box, and all that lies before it
    found = labelled_as(case, tmp_path, values, classes={"cube": 1}, ignore=9)["cube"]
    assert (found.dice, found.nsd, found.hd95_mm) == (1.0, 1.0, 0.0)
    assert found.volume_mm3_prediction == found.volume_mm3_reference == 12 * 6 * 6 * 3


def test_an_official_scoring_looks_at_the_slices_that_it_scores_wherever_they_lie(case, tmp_path):
    values = np.zeros((30, 24, 12), np.uint8)
    values[8:20, 6:18, 4:8] = 1  # the last slice is not scored, as in FLARE's script
    found = labelled_as(case, tmp_path, values, classes={"aorta": 1}, scoring="flare22")["aorta"]
    assert (found.dice, found.nsd) == (1.0, 1.0)
    assert found.volume_mm3_prediction == found.volume_mm3_reference == 12 * 12 * 3 * 3
    plain = labelled_as(case, tmp_path, values, classes={"aorta": 1})["aorta"]
    assert plain.dice == 2 * 4 / (4 + 6)


class Halves(nn.Module):
    """Calls the bright voxels the first part of the region up to a plane, then the second."""

    def forward(self, x):
        bright = (x - 1.3) * 10
        plane = torch.arange(x.shape[2]).view(1, 1, -1, 1, 1) - 7.5
        return torch.cat([torch.zeros_like(x), bright - plane, bright + plane], dim=1)


def test_a_region_is_scored_as_the_union_of_its_parts(case, tmp_path):
    values = np.zeros((30, 24, 12), np.uint8)
    values[8:20, 6:18, 3:9] = 1
    values[14:20, 6:18, 3:9] = 4
    task_card = card(
        classes={"whole": (1, 4), "second": 4},
        tolerance_mm={"whole": 1.0, "second": 1.0},
        spacing_mm=None,
    )
    nibabel.save(
        nibabel.Nifti1Image(values, np.diag([-1.0, -1.0, 3.0, 1.0])), tmp_path / "label.nii.gz"
    )
    prepared = prepare_cases(task_card, [case], Preprocessing(crop="none"))[case.id]
    found = score_case(Halves(), case, prepared, task_card, RECIPE, "cpu").classes
    assert list(found) == ["whole", "second"]
    assert found["whole"].dice == 1.0
    assert found["whole"].volume_mm3_reference == 12 * 12 * 6 * 3
    assert found["second"].volume_mm3_reference == 6 * 12 * 6 * 3
