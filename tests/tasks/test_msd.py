import json

import numpy as np
import pytest
from voxbench.api import Task
from voxbench.data.prepare import inspect_cases, prepare_cases
from voxbench.data.split import split_cases
from voxbench.errors import DataError
from voxbench_tasks import msd

from tests.data.toy import save, volumes

TASKS = sorted(msd.Decathlon.__subclasses__(), key=lambda kind: str(kind.folder))


def decathlon(root, names, channels=None):
    for name in names:
        image, label = volumes(seed=sum(name.encode()))
        image = (
            image if channels is None else np.stack([image + 9 * c for c in range(channels)], -1)
        )
        save(root / "imagesTr" / f"{name}.nii.gz", image)
        save(root / "labelsTr" / f"{name}.nii.gz", np.minimum(label, 2))
    training = [
        {"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"}
        for name in names
    ]
    (root / "dataset.json").write_text(json.dumps({"training": training}))


def test_there_are_the_ten_published_tasks():
    assert [str(kind.folder) for kind in TASKS] == [
        "Task01_BrainTumour",
        "Task02_Heart",
        "Task03_Liver",
        "Task04_Hippocampus",
        "Task05_Prostate",
        "Task06_Lung",
        "Task07_Pancreas",
        "Task08_HepaticVessel",
        "Task09_Spleen",
        "Task10_Colon",
    ]
    for kind in TASKS:
        assert kind.card.name == "msd-" + kind.folder.partition("_")[2].lower()
        assert issubclass(kind, Task)


def test_ct_is_windowed_and_mr_is_z_scored():
    kinds = {kind.card.name: kind.card.preprocessing.intensity.kind for kind in TASKS}
    mr = {"msd-braintumour", "msd-heart", "msd-hippocampus", "msd-prostate"}
    assert {name for name, kind in kinds.items() if kind == "zscore"} == mr


@pytest.mark.parametrize(
    ("one", "other", "same"), [(1, 2, True), (2, 3, False), (299, 300, True), (245, 300, True)]
)
def test_the_two_sides_of_a_hippocampus_scan_are_one_patient(tmp_path, one, other, same):
    names = [f"hippocampus_{number:03d}" for number in (one, other)]
    decathlon(tmp_path, names)
    patients = {case.patient for case in msd.Hippocampus(root=tmp_path).cases()["all"]}
    assert (len(patients) == 1) == same


def test_elsewhere_each_case_is_a_patient(tmp_path):
    decathlon(tmp_path, ["la_003", "la_004"])
    cases = msd.Heart(root=tmp_path).cases()["all"]
    assert [case.patient for case in cases] == ["la_003", "la_004"]


def test_cases_are_those_of_the_list_and_not_the_leavings_of_a_file_manager(tmp_path):
    decathlon(tmp_path, ["h_003", "h_001"])
    (tmp_path / "imagesTr" / "._h_001.nii.gz").write_bytes(b"finder")
    cases = msd.Hippocampus(root=tmp_path).cases()["all"]
    assert [case.id for case in cases] == ["h_001", "h_003"]
    assert cases[0].label == tmp_path / "labelsTr" / "h_001.nii.gz"


def test_the_fourth_axis_of_prostate_gives_its_two_channels(tmp_path):
    decathlon(tmp_path, ["p_00"], channels=2)
    task = msd.Prostate(root=tmp_path)
    prepared = prepare_cases(task.card, task.cases()["all"], task.card.preprocessing)["p_00"]
    assert prepared.image.shape[0] == len(task.card.channels) == 2
    brain = msd.BrainTumour(root=tmp_path)
    (problem,) = inspect_cases(brain.card, brain.cases()["all"], brain.card.preprocessing)
    assert (problem.kind, problem.detail) == ("channels", "2 channels, the task has 4")


def test_the_five_folds_are_those_that_nnu_net_makes(tmp_path):
    """As scikit-learn's KFold(5, shuffle=True, random_state=12345) has them of 41 cases."""
    names = [f"spleen_{number:03d}" for number in range(41)]
    training = [{"image": f"imagesTr/{n}.nii.gz", "label": f"labelsTr/{n}.nii.gz"} for n in names]
    (tmp_path / "dataset.json").write_text(json.dumps({"training": training}))
    folds = msd.Spleen(root=tmp_path).folds(5)
    assert [names[at] for at in (0, 2, 3, 5, 19, 21, 25, 28, 32)] == [
        name for name in names if folds[name] == 0
    ]
    assert sorted(folds.values()) == [0] * 9 + [1] * 8 + [2] * 8 + [3] * 8 + [4] * 8
    assert msd.Spleen(root=tmp_path).folds(4) is None


def test_folds_that_would_divide_people_are_not_taken(tmp_path):
    decathlon(tmp_path, [f"hippocampus_{number:03d}" for number in range(1, 11)])
    assert msd.Hippocampus(root=tmp_path).folds(5) is None


def test_a_folder_that_is_not_there_says_where_to_get_it(tmp_path):
    with pytest.raises(DataError, match=r"Unpack Task09_Spleen\.tar of medicaldecathlon\.com"):
        msd.Spleen(root=tmp_path).cases()


@pytest.mark.parametrize("text", ["{}", '{"training": 3}', '{"training": ["a"]}', "nonsense", "[]"])
def test_a_damaged_list_is_one_clear_line(tmp_path, text):
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(DataError, match=r"dataset\.json: ") as caught:
        msd.Heart(root=tmp_path).cases()
    assert "\n" not in str(caught.value)


@pytest.mark.realdata
def test_all_260_hippocampi_are_sound_and_split_as_committed(real_data):
    task = msd.Hippocampus(root=real_data / "Task04_Hippocampus")
    cases = task.cases()["all"]
    assert len(cases) == 260
    notes = inspect_cases(task.card, cases, task.card.preprocessing)
    assert {(note.kind, note.fatal) for note in notes} == {("unsure geometry", False)}
    assert len(notes) == 19  # published with the identity as their affine
    prepared = prepare_cases(task.card, cases, task.card.preprocessing)
    assert all(case.present == {"Anterior", "Posterior"} for case in prepared.values())
    assert all(abs(case.image.mean()) < 1e-3 for case in prepared.values())
    split = split_cases(task)
    assert [len(part) for part in split[:3]] == [181, 26, 53]
    assert [len({case.patient for case in part}) for part in split[:3]] == [118, 17, 34]
    assert split.sha256.startswith("9edaee35")
