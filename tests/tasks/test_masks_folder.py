import json
from dataclasses import replace

import numpy as np
import pytest
from voxbench.data.cross_validation import cross_validated
from voxbench.data.dataset import open_dataset
from voxbench.data.prepare import inspect_cases, prepare_cases
from voxbench.data.split import split_cases
from voxbench.data.volumes import read_reference
from voxbench.design.cell import Ref
from voxbench.design.fold import Fold
from voxbench.errors import DataError
from voxbench.plugins import find_task
from voxbench_tasks.masks_folder import MasksFolder

from tests.data.toy import save, volumes


def atlas(root, names="abc", image="ct", structures=("liver", "aorta")):
    for name in names:
        volume, label = volumes(seed=sum(name.encode()))
        save(root / name / f"{image}.nii.gz", volume)
        for value, structure in zip((1, 4), structures, strict=True):
            mask = (label == value).astype(np.uint8)
            save(root / name / "segmentations" / f"{structure}.nii.gz", mask)
    return root


def test_an_abdomen_atlas_folder_describes_itself(tmp_path):
    root = atlas(tmp_path / "AbdomenAtlas 1.1")
    save(root / "a" / "combined_labels.nii.gz", volumes()[1])
    task = MasksFolder(root=root)
    assert (task.card.name, task.card.modality) == ("abdomenatlas-1.1", "CT")
    assert task.card.classes == {"aorta": 1, "liver": 2}
    assert task.card.channels == ("ct",)
    case = task.cases()["all"][0]
    assert case.labelled is None
    reference = read_reference(case, task.card).array
    assert np.array_equal(reference, np.array([0, 2, 0, 0, 1])[volumes(seed=97)[1]])
    assert inspect_cases(task.card, task.cases()["all"], task.card.preprocessing) == []


def test_a_total_segmentator_mri_folder_is_z_scored(tmp_path):
    task = MasksFolder(root=atlas(tmp_path, image="mri"))
    assert task.card.modality == "MR"
    assert task.card.tolerance_mm["liver"] == 1.0


def test_structures_choose_and_order_the_classes(tmp_path):
    root = atlas(tmp_path)
    assert MasksFolder(root=root, structures=("liver",)).card.classes == {"liver": 1}
    assert MasksFolder(root=root, structures=("liver", "aorta")).card.classes["aorta"] == 2
    with pytest.raises(DataError, match=r"unknown structure 'livr'\. Did you mean 'liver'"):
        _ = MasksFolder(root=root, structures=("livr",)).card


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("about.json", {"structures": ["liver", "aorta", "spleen"]}),
        ("dataset.json", {"labels": {"background": 0, "aorta": 9, "liver": 4}}),
    ],
)
def test_overlapping_masks_resolve_in_the_order_of_the_data_s_author(tmp_path, file, said):
    root = atlas(tmp_path)
    for name in "abc":  # the liver's mask covers all that the aorta's does
        aorta = volumes(seed=sum(name.encode()))[1] == 4
        save(root / name / "segmentations" / "liver.nii.gz", np.ones_like(aorta, np.uint8))
    by_name = MasksFolder(root=root)
    assert "aorta" not in prepared_classes(by_name)  # the alphabet puts the liver last
    (root / file).write_text(json.dumps(said))
    ordered = MasksFolder(root=root)
    assert list(ordered.card.classes) == ["liver", "aorta"]
    assert prepared_classes(ordered) == {"liver", "aorta"}


def prepared_classes(task: MasksFolder) -> frozenset[str]:
    case = task.cases()["all"][0]
    return prepare_cases(task.card, [case], task.card.preprocessing)[case.id].present


def test_an_order_that_leaves_out_a_structure_is_refused(tmp_path):
    root = atlas(tmp_path)
    (root / "about.json").write_text(json.dumps({"structures": ["liver"]}))
    with pytest.raises(DataError, match=r"names no place in the order for aorta; add it"):
        _ = MasksFolder(root=root).card


def test_tolerances_by_class_are_a_table_of_the_sweep_or_of_the_folder(tmp_path):
    root = atlas(tmp_path)
    (root / "about.json").write_text(json.dumps({"tolerance_mm": {"liver": 5}}))
    assert MasksFolder(root=root).card.tolerance_mm == {"aorta": 2.0, "liver": 5.0}
    ref = Ref.of("masks-folder", {"root": str(root), "tolerance_mm": {"aorta": 1.5}})
    assert find_task(ref).card.tolerance_mm == {"aorta": 1.5, "liver": 2.0}
    told = json.loads(json.dumps(ref.to_json()))
    assert Ref.from_json(told).values["tolerance_mm"] == ("aorta=1.5",)


def test_a_structure_without_a_mask_is_not_annotated_and_an_empty_mask_is_absent(tmp_path):
    root = atlas(tmp_path)
    (root / "a" / "segmentations" / "aorta.nii.gz").unlink()
    empty = root / "b" / "segmentations" / "aorta.nii.gz"
    save(empty, np.zeros((20, 24, 16), np.uint8))
    task = MasksFolder(root=root)
    found = prepare_cases(task.card, task.cases()["all"], task.card.preprocessing)
    assert found["a"].labelled == {"liver"}
    assert found["b"].labelled is None
    assert found["a"].present == found["b"].present == {"liver"}
    assert found["c"].present == {"liver", "aorta"}
    vessel = MasksFolder(root=root, structures=("aorta",))
    assert [case.id for case in vessel.cases()["all"]] == ["b", "c"]


def test_several_volumes_are_channels_and_may_be_chosen(tmp_path):
    root = atlas(tmp_path, image="t1")
    for name in "abc":
        save(root / name / "flair.nii.gz", volumes(seed=5)[0])
    assert MasksFolder(root=root).card.channels == ("flair", "t1")
    assert MasksFolder(root=root, channels=("t1",)).card.channels == ("t1",)
    with pytest.raises(DataError, match="unknown channel 't2'"):
        _ = MasksFolder(root=root, channels=("t2",)).card
    (root / "a" / "flair.nii.gz").unlink()
    task = MasksFolder(root=root)
    problems = inspect_cases(task.card, task.cases()["all"], task.card.preprocessing)
    assert [(p.case, p.file, p.kind) for p in problems] == [("a", "flair.nii.gz", "missing file")]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("patients.json", json.dumps({"a": "p", "b": "p"})),
        ("about.json", json.dumps({"same_person": [["b", "a"]]})),
        ("meta.csv", "image_id;patient_id\na;p\nb;p\nc;q\n"),
        ("meta.csv", "case,age,subject\na,3,p\nb,4,p\n"),
    ],
)
def test_who_is_who_is_read_from_the_folder(tmp_path, file, text):
    root = atlas(tmp_path)
    (root / file).write_text(text)
    people = [case.patient for case in MasksFolder(root=root).cases()["all"]]
    assert people[0] == people[1] != people[2]


def test_a_row_that_names_nobody_says_nothing(tmp_path):
    root = atlas(tmp_path)
    (root / "meta.csv").write_text("image_id,age,patient_id\na,3,\nb,4\nc,5,\n")
    assert [case.patient for case in MasksFolder(root=root).cases()["all"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("meta.csv", "image_id;institute\na;Zürich\n".encode("cp1252"), "CSV in UTF-8"),
        ("about.json", b'{"same_person": {"a": "b"}}', "same_person: expected"),
        ("patients.json", b'["a"]', "expected a JSON object"),
    ],
)
def test_a_table_of_patients_that_can_t_be_read_is_named(tmp_path, file, content, says):
    root = atlas(tmp_path)
    (root / file).write_bytes(content)
    with pytest.raises(DataError, match=rf"{file}: .*{says}"):
        MasksFolder(root=root).cases()


def test_the_split_that_total_segmentator_publishes_is_used_and_named(tmp_path):
    root = atlas(tmp_path, "abcdef")
    (root / "meta.csv").write_text(
        "image_id;age;split\na;40;train\nb;40;train\nc;40;train\nd;40;val\ne;40;test\nf;40;test\n"
    )
    task = MasksFolder(root=root)
    split = split_cases(task)
    assert [[case.id for case in part] for part in split[:3]] == [list("abc"), ["d"], ["e", "f"]]
    assert any("column split of meta.csv" in note for note in task.notes)
    assert list(MasksFolder(root=root, split="own").cases()) == ["all"]


def test_folds_are_those_of_a_column_beside_the_data(tmp_path):
    root = atlas(tmp_path, "abcdef")
    rows = zip("abcdef", ["p", "p", "q", "r", "s", "t"], "221312", strict=True)
    table = "".join(f"{case},{patient},{fold}\n" for case, patient, fold in rows)
    (root / "patients.csv").write_text(f"case,patient,fold\n{table}")
    task = MasksFolder(root=root)
    found = cross_validated(task, open_dataset(task), Fold(1, 3))
    assert [case.id for case in found.split.test] == ["a", "b", "f"]
    assert "fold 1 of 3, as published" in found.notes[-1]
    own = replace(task, split="own")
    assert "dealt out by patient" in cross_validated(own, open_dataset(own), Fold(1, 4)).notes[-1]


def test_suprems_five_folds_of_pancreas_divide_people_which_has_to_be_said(tmp_path):
    """Its lists deal out scans: 2,041 of the 2,601 people of the lists are in several of them."""
    scans = [f"FELIX{n:04}_{phase}" for n in range(5) for phase in ("ARTERIAL", "VENOUS")]
    root = atlas(tmp_path, scans)
    for fold in range(5):
        (root / f"jhh_test_fold_{fold}.txt").write_text("\n".join(scans[fold::5]) + "\n")
    by_person = MasksFolder(root=root, patients="prefix")
    with pytest.raises(DataError, match="patient FELIX0000 in two of its published folds"):
        by_person.folds(5)
    task = MasksFolder(root=root, patients="case")
    found = cross_validated(task, open_dataset(task), Fold(2, 5))
    assert [case.id for case in found.split.test] == sorted(scans[2::5])
    dealt = replace(by_person, split="own")
    tested = cross_validated(dealt, open_dataset(dealt), Fold(2, 5)).split.test
    assert len({case.patient for case in tested}) == 1


def test_cases_may_lie_in_folders_of_parts(tmp_path):
    atlas(tmp_path / "training", "abc")
    atlas(tmp_path / "testing", "de")
    task = MasksFolder(root=tmp_path)
    assert MasksFolder.recognises(tmp_path)
    parts = {part: [case.id for case in cases] for part, cases in task.cases().items()}
    assert parts == {"train": ["a", "b", "c"], "test": ["d", "e"]}
    cases = [case for part in task.cases().values() for case in part]
    assert inspect_cases(task.card, cases, task.card.preprocessing) == []


def test_a_folder_of_something_else_says_what_is_missing(tmp_path):
    with pytest.raises(DataError, match="no <case>/segmentations/"):
        MasksFolder(root=tmp_path).cases()
    save(tmp_path / "a" / "segmentations" / "liver.nii.gz", volumes()[1])
    with pytest.raises(DataError, match="no image beside segmentations/"):
        MasksFolder(root=tmp_path).cases()


@pytest.mark.realdata
def test_scans_of_one_person_are_never_split(real_data):
    task = MasksFolder(root=real_data / "MALF_subcortical")
    split = split_cases(task)
    part_of = {case.id: index for index, part in enumerate(split[:3]) for case in part}
    about = json.loads((real_data / "MALF_subcortical" / "about.json").read_text())
    assert len(part_of) == 35
    assert len(about["same_person"]) == 5
    for first, second in about["same_person"]:
        assert part_of[first] == part_of[second]


@pytest.mark.slow
@pytest.mark.realdata
def test_malf_is_sound(real_data):
    task = MasksFolder(root=real_data / "MALF_subcortical")
    cases = task.cases()["all"]
    assert (task.card.modality, len(task.card.classes)) == ("MR", 8)
    assert task.card.spacing_mm == (2.0, 2.0, 2.0)
    assert inspect_cases(task.card, cases, task.card.preprocessing) == []
    prepared = prepare_cases(task.card, cases, task.card.preprocessing)
    assert all(case.present == set(task.card.classes) for case in prepared.values())
