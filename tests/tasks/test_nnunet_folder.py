import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
from voxbench.api import IGNORED
from voxbench.data.cross_validation import cross_validated
from voxbench.data.dataset import open_dataset
from voxbench.data.prepare import inspect_cases, prepare_cases
from voxbench.data.split import SPLIT_PARTS, split_cases
from voxbench.data.volumes import read_reference
from voxbench.design.cell import Ref
from voxbench.design.fold import Fold
from voxbench.errors import DataError
from voxbench.plugins import TASKS
from voxbench_tasks.nnunet_folder import NnunetFolder

from tests.data.toy import save, volumes

AFFINE = np.diag([1.0, 1.0, 3.0, 1.0])
VERSION_2 = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "ball": 1, "box": 4}}


def raw(root, names=("a", "b"), channels=1, **description):
    for name in names:
        image, label = volumes(seed=sum(name.encode()))
        for channel in range(channels):
            save(root / "imagesTr" / f"{name}_{channel:04d}.nii.gz", image + channel, AFFINE)
        save(root / "labelsTr" / f"{name}.nii.gz", label, AFFINE)
    (root / "dataset.json").write_text(json.dumps({**VERSION_2, **description}))
    return root


def test_the_card_is_read_from_the_folder(tmp_path):
    task = NnunetFolder(root=raw(tmp_path / "Dataset042_Toy Organs", licence="CC0"))
    card = task.card
    assert (card.name, card.modality, card.channels) == ("toy-organs", "CT", ("CT",))
    assert card.classes == {"ball": 1, "box": 4}
    assert card.spacing_mm == (1.0, 1.0, 3.0)
    assert card.tolerance_mm == {"ball": 2.0, "box": 2.0}
    assert card.licence == "CC0"


def test_what_the_sweep_says_wins(tmp_path):
    task = NnunetFolder(
        root=raw(tmp_path / "x"),
        title="mine",
        modality="MR",
        spacing_mm=(2.0, 2.0, 2.0),
        tolerance_mm=0.5,
        window=(-1000.0, 400.0),
    )
    card = task.card
    assert (card.name, card.modality, card.spacing_mm) == ("mine", "MR", (2.0, 2.0, 2.0))
    assert card.tolerance_mm["box"] == 0.5
    assert card.window == (-1000.0, 400.0)


def test_the_labels_of_version_1_are_read_too(tmp_path):
    labels = {"0": "background", "1": "ball", "4": "box"}
    description = {"channel_names": None, "modality": {"0": "T2", "1": "ADC"}, "labels": labels}
    task = NnunetFolder(root=raw(tmp_path, channels=2, **description))
    assert (task.card.modality, task.card.channels) == ("MR", ("T2", "ADC"))
    assert task.card.classes == {"ball": 1, "box": 4}
    assert [path.name for path in task.cases()["all"][0].images] == [
        "a_0000.nii.gz",
        "a_0001.nii.gz",
    ]
    assert inspect_cases(task.card, task.cases()["all"], task.card.preprocessing) == []


def test_files_that_miss_their_pair_are_found_by_prepare(tmp_path):
    root = raw(tmp_path, names="abc")
    (root / "labelsTr" / "a.nii.gz").unlink()
    (root / "imagesTr" / "b_0000.nii.gz").unlink()
    task = NnunetFolder(root=root)
    problems = inspect_cases(task.card, task.cases()["all"], task.card.preprocessing)
    assert [(p.case, p.file, p.kind) for p in problems] == [
        ("a", "a.nii.gz", "missing file"),
        ("b", "b_0000.nii.gz", "missing file"),
    ]


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"labels": {"background": 0, "whole": [1, 70000]}}, "label values go up to 65535"),
        ({"labels": {"background": 0, "ball": 1, "ignore": 1}}, "ignore must be a label value"),
        ({"labels": ["ball"]}, "labels: expected"),
        ({"labels": {"background": 0, "ball": "one"}}, "labels: expected"),
        ({"labels": {"background": 0}}, "classes: "),
        ({"labels": {"background": 0, "ball": 70000}}, "label values go up to 65535"),
        ({"channel_names": ["CT"]}, "channel_names: expected"),
        ({"file_ending": ".png"}, "file_ending: '.png' is none of"),
        ({"patients": ["a"]}, "patients: expected"),
    ],
)
def test_a_description_that_can_t_be_used_is_one_clear_line(tmp_path, description, message):
    task = NnunetFolder(root=raw(tmp_path, **description))
    with pytest.raises(DataError, match=r".") as caught:
        _ = task.card, task.cases()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_cases_or_description_says_so(tmp_path):
    with pytest.raises(DataError, match="nnU-Net raw folder"):
        NnunetFolder(root=tmp_path).cases()
    raw(tmp_path, names=())
    with pytest.raises(DataError, match=r"no file like <case>_0000\.nii\.gz"):
        NnunetFolder(root=tmp_path).cases()


def test_regions_and_the_ignore_label_are_read_and_prepared(tmp_path):
    labels = {"background": 0, "whole": [1, 4], "box": 4, "ignore": 7}
    task = NnunetFolder(root=raw(tmp_path / "raw", labels=labels))
    label = volumes(seed=97)[1]
    label[:2] = 7
    save(task.root / "labelsTr" / "a.nii.gz", label, AFFINE)
    card = task.card
    assert (card.classes, card.ignore) == ({"whole": (1, 4), "box": 4}, 7)
    case = task.cases()["all"][0]
    assert inspect_cases(card, [case], card.preprocessing) == []
    reference = read_reference(case, card).array
    assert set(np.unique(reference)) == {0, 1, 2, IGNORED}
    assert np.array_equal(reference == IGNORED, label == 7)


def test_endings_may_be_mixed_and_in_capitals(tmp_path):
    task = NnunetFolder(
        root=raw(tmp_path / "raw", names=("1.2.840.1", "1.2.840.2", "Ä.b")), patients="case"
    )
    plain = task.root / "imagesTr" / "1.2.840.1_0000.nii.gz"
    plain.rename(plain.with_name("1.2.840.1_0000.NII.GZ"))
    label = task.root / "labelsTr" / "1.2.840.2.nii.gz"
    label.with_suffix("").write_bytes(gzip.decompress(label.read_bytes()))
    label.unlink()
    cases = task.cases()["all"]
    assert [case.id for case in cases] == ["1.2.840.1", "1.2.840.2", "Ä.b"]
    assert inspect_cases(task.card, cases, task.card.preprocessing) == []


def test_two_files_of_one_case_are_an_error(tmp_path):
    task = NnunetFolder(root=raw(tmp_path / "raw"))
    save(task.root / "imagesTr" / "a_0000.nii", volumes()[0], AFFINE)
    with pytest.raises(DataError, match=r"a_0000\.nii.* are one case; remove one"):
        task.cases()


def test_files_of_a_channel_without_a_name_are_refused(tmp_path):
    task = NnunetFolder(root=raw(tmp_path / "raw"))
    save(task.root / "imagesTr" / "a_0001.nii.gz", volumes()[0])
    with pytest.raises(DataError, match=r"a_0001\.nii\.gz: is channel 1, but channel_names of"):
        task.cases()


def test_channels_of_two_modalities_have_their_own_rules(tmp_path):
    names = {"0": "CT", "1": "T1"}
    task = NnunetFolder(root=raw(tmp_path / "raw", channels=2, channel_names=names))
    assert task.card.modality == ("CT", "MR")
    assert [rule.kind for rule in task.card.preprocessing.rules(2)] == ["window", "zscore"]


def test_the_cases_of_a_patient_stay_together(tmp_path):
    names = [f"{person}{scan}" for person in "abcdef" for scan in "12"]
    task = NnunetFolder(root=raw(tmp_path, names, patients={name: name[0] for name in names}))
    split = split_cases(task)
    for part in SPLIT_PARTS:
        scans = sorted(case.id for case in getattr(split, part))
        assert scans == sorted(f"{p}{s}" for p in {name[0] for name in scans} for s in "12")


def test_published_parts_are_what_the_folders_say_and_images_without_labels_are_not_used(tmp_path):
    root = raw(tmp_path, "abcdefgh")
    for name, part in (("f", "Va"), ("g", "Ts"), ("h", "Ts")):
        for kind, ending in (("images", "_0000.nii.gz"), ("labels", ".nii.gz")):
            (root / f"{kind}{part}").mkdir(exist_ok=True)
            (root / f"{kind}Tr" / f"{name}{ending}").rename(
                root / f"{kind}{part}" / f"{name}{ending}"
            )
    save(root / "imagesTs" / "unlabelled_0000.nii.gz", volumes()[0], AFFINE)
    task = NnunetFolder(root=root)
    split = split_cases(task)
    assert [[case.id for case in part] for part in split[:3]] == [list("abcde"), ["f"], ["g", "h"]]
    assert split.test[0].images[0].parent.name == "imagesTs"
    assert any("published, by its folders" in note for note in task.notes)
    assert "images without a label, not used: 1" in task.notes
    own = split_cases(NnunetFolder(root=root, split="own"))
    assert sorted(case.id for part in own[:3] for case in part) == list("abcde")


def test_fields_that_say_nothing_new_leave_the_name_of_a_task_as_it_was(tmp_path):
    ref = TASKS.complete(Ref.of("nnunet-folder", {"root": str(tmp_path)}))
    assert not {"patients", "split"} & ref.values.keys()
    said = TASKS.complete(Ref.of("nnunet-folder", {"patients": "prefix", "split": "own"}))
    assert {"patients": "prefix", "split": "own"}.items() <= said.values.items()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("folder", "patients"),
    [("Dataset501_OpenKBP", 200), ("Dataset601_ACDC", 100), ("Dataset602_MSCMR", 35)],
)
def test_real_folders_are_not_asked_about(real_data, folder, patients):
    cases = NnunetFolder(root=real_data / folder).cases()
    assert list(cases) == ["all"]
    assert len({case.patient for case in cases["all"]}) == patients


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize(
    ("folder", "cases", "patients", "classes"),
    [("Dataset501_OpenKBP", 200, 200, 4), ("Dataset502_LIDCNodule", 232, 191, 1)],
)
def test_real_folders_are_sound(real_data, folder, cases, patients, classes):
    task = NnunetFolder(root=real_data / folder)
    found = task.cases()["all"]
    assert (len(found), len({case.patient for case in found})) == (cases, patients)
    assert len(task.card.classes) == classes
    assert inspect_cases(task.card, found, task.card.preprocessing) == []
    prepared = prepare_cases(task.card, found, task.card.preprocessing)
    assert all(0 <= case.image.min() <= case.image.max() <= 1 for case in prepared.values())
    split = split_cases(task)
    people = [{case.patient for case in part} for part in split[:3]]
    assert sum(map(len, people)) == patients


@pytest.mark.realdata
def test_left_and_right_of_openkbp_lie_left_and_right(real_data):
    task = NnunetFolder(root=real_data / "Dataset501_OpenKBP")
    cases = task.cases()["all"][:10]
    for case in prepare_cases(task.card, cases, task.card.preprocessing).values():
        side = {
            name: np.unravel_index(case.foreground[name], case.label.shape)[0].mean()
            for name in ("left_parotid", "right_parotid")
        }
        assert side["right_parotid"] > side["left_parotid"]  # the first axis runs to the right


def test_channels_of_no_known_modality_are_told(tmp_path):
    unknown = NnunetFolder(root=raw(tmp_path, channels=2, channel_names={"0": "CT", "1": "dose"}))
    told = 'dose: intensities are z-scored; say modality = "CT" if they are HU'
    assert told in unknown.notes
    said = NnunetFolder(root=tmp_path, modality=("CT", "other"))
    assert not any("z-scored" in note for note in said.notes)


def finals(root, *validating):
    cases = sorted({case for fold in validating for case in fold})
    rest = [[case for case in cases if case not in fold] for fold in validating]
    folds = [{"train": train, "val": [*val]} for train, val in zip(rest, validating, strict=True)]
    (root / "splits_final.json").write_text(json.dumps(folds))


def test_its_folds_are_those_of_splits_final_by_patient(tmp_path):
    task = NnunetFolder(root=raw(tmp_path, names="abcde", patients={"a": "p", "b": "p"}))
    finals(tmp_path, "abe", "cd")
    assert task.folds(2) == {"p": 0, "e": 0, "c": 1, "d": 1}
    assert replace(task, split="own").folds(2) is None
    found = cross_validated(task, open_dataset(task), Fold(1, 2))
    assert [case.id for case in found.split.test] == ["c", "d"]


def test_folds_that_divide_a_patient_are_refused(tmp_path):
    task = NnunetFolder(root=raw(tmp_path, names="abcdef", patients={"d": "p", "e": "p"}))
    finals(tmp_path, "ab", "cd", "ef")
    with pytest.raises(DataError, match="patient p in two of its published folds"):
        task.folds(3)
