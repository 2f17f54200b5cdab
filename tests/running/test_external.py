"""Trained networks are scored on other data sets with classes that they share."""

import json

import nibabel
import numpy as np
import pytest
import torch
from torch import nn
from voxbench.errors import SpecError
from voxbench.predict.external import score_external
from voxbench.records import Store
from voxbench.records.external import external_store
from voxbench.records.kept import weights_path
from voxbench.running.bind import bind
from voxbench.running.external_plan import plan_external
from voxbench.running.options import Options
from voxbench.running.plan import plan_cells
from voxbench.running.sweep import run_sweep

from tests.running.conftest import make_sweep

ONE = Options(jobs=1)
SHAPE = (24, 20, 28)


@pytest.fixture
def other(example, tmp_path):
    """Three volumes of another size with a ball (1) and a cube (2), in nnU-Net's layout."""
    return write_other(tmp_path / "Dataset007_Other", {"ball": 1, "CUBE": 2})


def write_other(root, labels, channels=1, noise=0.5, regions=None):
    random = np.random.default_rng(7)
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True)
    for i in range(3):
        label = np.zeros(SHAPE, np.uint8)
        label[4 : 12 + i, 3:11, 9:20] = 2
        label[15:20, 12:18, 2:6] = 1
        image = (random.normal(1, noise, SHAPE) + 4 * (label == 2)).astype(np.float32)
        for channel in range(channels):
            save(root / "imagesTr" / f"c{i}_{channel:04}.nii.gz", image)
        save(root / "labelsTr" / f"c{i}.nii.gz", label)
    told = {
        "channel_names": {str(i): "other" for i in range(channels)},
        "labels": {"background": 0, **labels},
        "numTraining": 3,
        "file_ending": ".nii.gz",
        **({"regions_class_order": regions} if regions else {}),
    }
    (root / "dataset.json").write_text(json.dumps(told))
    return root


def save(path, array):
    nibabel.save(nibabel.Nifti1Image(array, np.diag([1.0, 1.0, 1.0, 1.0])), path)


def shifted(root, name="elsewhere", **changes):
    data = {"name": "nnunet-folder", "root": str(root)}
    tests = [{"task": "example-cubes", "name": name, "data": data}]
    return make_sweep(**{"seeds": 1, "tests": tests, **changes})


def test_one_training_is_scored_on_both(other, tmp_path):
    (one,) = run_sweep(shifted(other), tmp_path / "out", ONE)
    (own,) = Store(tmp_path / "out")
    (found,) = external_store(tmp_path / "out")
    assert (own.key, own.status, found.status) == (one.key, "ok", "ok")
    assert own.external is None
    assert found.external.model_dump() == {
        "name": "elsewhere",
        "data": "other",
        "training": one.key,
        "fingerprint": one.cell.trainings.tests[0].dataset.identity,
        "classes": {"cube": "CUBE"},
        "lacking": [],
    }
    assert [case.case for case in found.cases] == found.data.test == ["c0", "c1", "c2"]
    assert {name for case in found.cases for name in case.classes} == {"cube"}
    assert found.data.train == own.data.train
    assert found.contamination.status == "clean"


def test_a_training_has_the_key_that_it_has_without_external_tests(other, example):
    assert [c.key for c in bind(shifted(other))] == [c.key for c in bind(make_sweep(seeds=1))]


def test_what_is_run_again_is_found(other, tmp_path):
    sweep, out = shifted(other), tmp_path / "out"
    run_sweep(sweep, out, ONE)
    before = [
        path.stat().st_mtime_ns for path in (*Store(out).files(), *external_store(out).files())
    ]
    run_sweep(sweep, out, ONE)
    assert before == [
        path.stat().st_mtime_ns for path in (*Store(out).files(), *external_store(out).files())
    ]


def test_a_finished_cell_whose_weights_are_kept_is_not_trained_again(other, tmp_path):
    out = tmp_path / "out"
    (one,) = run_sweep(make_sweep(seeds=1), out, Options(jobs=1, weights=True))
    stamp = Store(out).path(one.key).stat().st_mtime_ns
    run_sweep(shifted(other), out, ONE)
    assert Store(out).path(one.key).stat().st_mtime_ns == stamp
    assert len(external_store(out).files()) == 1


def test_a_finished_cell_without_weights_is_trained_again_and_the_plan_says_so(other, tmp_path):
    out = tmp_path / "out"
    (one,) = run_sweep(make_sweep(seeds=1), out, ONE)
    (waiting,) = plan_external(plan_cells(bind(shifted(other)), out), out)
    assert (waiting.state, waiting.untrained) == ("missing", True)
    cases = Store(out).read(one.key).cases
    run_sweep(shifted(other), out, ONE)
    assert Store(out).read(one.key).cases == cases
    assert [one.state for one in plan_external(plan_cells(bind(shifted(other)), out), out)] == [
        "cached"
    ]
    assert weights_path(out, one.key).exists()


def test_a_fault_of_the_external_set_leaves_the_cell_as_it_is(other, tmp_path):
    sweep, out = shifted(other), tmp_path / "out"
    save(other / "labelsTr" / "c1.nii.gz", np.zeros((3, 3, 3), np.uint8))
    (one,) = run_sweep(sweep, out, ONE)
    assert one.state == "cached"
    (found,) = plan_external(plan_cells(bind(sweep), out), out)
    assert found.state == "failed"
    assert "c1" in found.reason
    assert "shape mismatch" in found.reason


class Bright(nn.Module):
    """Cube (1) is what is brighter than the mean by a deviation."""

    def forward(self, image):
        return torch.cat([torch.ones_like(image), image], dim=1)


def scored_by_brightness(root):
    (cell,) = bind(shifted(root))
    test = cell.trainings.tests[0]
    how = cell.trainings.preprocessing, cell.cell.recipe, "cpu"
    return score_external(Bright(), cell.trainings.dataset.card, test, test.cases, *how)


def test_what_is_found_scores_one_whatever_value_and_size_it_has_there(example, tmp_path):
    root = write_other(tmp_path / "Dataset012_Clear", {"ball": 1, "CUBE": 2}, noise=0.05)
    for i, case in enumerate(scored_by_brightness(root)):
        assert case.classes["cube"].dice == case.classes["cube"].nsd == 1
        assert case.classes["cube"].volume_mm3_reference == (8 + i) * 8 * 11


def test_a_class_may_be_a_region_there(example, tmp_path):
    labels = {"ball": 1, "cube": [2, 3]}
    root = write_other(tmp_path / "Dataset013_Region", labels, noise=0.05, regions=[1, 2, 3])
    assert [case.classes["cube"].dice for case in scored_by_brightness(root)] == [1, 1, 1]


def test_nothing_to_share_is_one_clear_error(example, tmp_path):
    root = write_other(tmp_path / "Dataset008_Balls", {"ball": 1, "box": 2})
    with pytest.raises(SpecError, match="has nothing to share: its classes are ball, box"):
        bind(shifted(root))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task": "cubess"}, "unknown task 'cubess'. Did you mean"),
        ({"data": "cubes"}, "is the task's own data"),
        ({"name": "../up"}, "tests.0.name"),
    ],
)
def test_what_cannot_be_a_test_says_so(other, changes, said):
    test = {"task": "cubes", "name": "there", "data": "cubes", **changes}
    with pytest.raises(SpecError, match=said):
        bind(make_sweep(tests=[test]))


def test_one_name_stands_for_one_set(other):
    test = {"task": "cubes", "name": "there", "data": {"name": "nnunet-folder", "root": str(other)}}
    with pytest.raises(SpecError, match="named twice: 'there' of cubes"):
        make_sweep(tests=[test, test])


def test_other_channels_and_ambiguous_names_are_refused(example, tmp_path):
    two = write_other(tmp_path / "Dataset009_Two", {"ball": 1, "cube": 2}, channels=2)
    with pytest.raises(SpecError, match="has 2 channels, the task has 1"):
        bind(shifted(two))
    same = write_other(tmp_path / "Dataset010_Same", {"cube": 2, "Cube": 1})
    with pytest.raises(SpecError, match="cube, Cube of same are one structure by name"):
        bind(shifted(same))


def test_copies_of_training_cases_are_told(example, tmp_path):
    (cell,) = bind(make_sweep(seeds=1))
    root = write_other(tmp_path / "Dataset011_Copy", {"ball": 1, "cube": 2})
    trained = cell.trainings.dataset.split.train[0]
    (root / "imagesTr" / "c1_0000.nii.gz").write_bytes(trained.images[0].read_bytes())
    label = np.zeros((32, 32, 32), np.uint8)
    label[3:9, 3:9, 3:9] = 2
    save(root / "labelsTr" / "c1.nii.gz", label)
    run_sweep(shifted(root), tmp_path / "out", ONE)
    (found,) = external_store(tmp_path / "out")
    assert (found.contamination.status, found.contamination.shared) == (
        "overlaps (by case)",
        ["c1"],
    )
    assert "1 of 3 cases are among those that example-cubes trains on" in found.contamination.reason


@pytest.mark.realdata
def test_hearts_of_another_site_can_be_tested_on_and_hippocampi_cannot(real_data):
    hearts = {"name": "nnunet-folder", "root": str(real_data / "Dataset602_MSCMR")}

    def on_hearts(task):
        test = {"task": task["name"], "name": "ms-cmrseg", "data": hearts}
        return bind(make_sweep(tasks=[task], tests=[test]))

    own = on_hearts({"name": "nnunet-folder", "root": str(real_data / "Dataset601_ACDC")})
    (test,) = own[0].trainings.tests
    assert len(test.cases) == 35
    assert [*test.classes] == ["right_ventricle", "myocardium", "left_ventricle"]
    with pytest.raises(SpecError, match=r"nothing to share.*Anterior, Posterior"):
        on_hearts({"name": "msd-hippocampus", "root": str(real_data / "Task04_Hippocampus")})
