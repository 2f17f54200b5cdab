"""Nodules with their readers: who gave a map, and who is tested on under a shift."""

import json

import numpy as np
import pytest
from voxbench.data.split import SPLIT_PARTS, split_cases
from voxbench.data.volumes import read_raters, read_reference
from voxbench.errors import DataError, SpecError
from voxbench_tasks.lidc_raters import LidcRaters, Nodule


def told(patient, *ratings, folder="."):
    return {
        "patient": patient,
        "folder": folder,
        "readers": [{"malignancy": rating} for rating in ratings],
    }


def task(tmp_path, cases, **fields):
    root = tmp_path / "Nodules_raters"
    root.mkdir()
    (root / "readers.json").write_text(json.dumps({"cases": cases}))
    return LidcRaters(root=root, **fields)


def test_a_reader_who_gave_no_map_is_named(tmp_path):
    cases = {"b_1": told("b", 1, 2, 3, folder="three"), "a_1": told("a", 1, 2, 3, 4)}
    four, three = task(tmp_path, cases).cases()["all"]
    root = tmp_path / "Nodules_raters"
    assert four.images == (tmp_path / "Nodules/imagesTr/a_1_0000.nii.gz",)
    assert four.label == tmp_path / "Nodules/labelsTr/a_1.nii.gz"
    assert four.raters["4"] == root / "labelsTr_reader4/a_1.nii.gz"
    assert three.raters == {
        **{k: root / f"three/labelsTr_reader{k}/b_1.nii.gz" for k in ("1", "2", "3")},
        "4": None,
    }
    assert (three.patient, three.shift) == ("b", None)


@pytest.mark.parametrize(
    ("ratings", "verdict"),
    [((4, 5, 4, 1), True), ((3, 3, 5), False), ((4, 4, 3, 3), None), ((1, 2, 3), False)],
)
def test_most_readers_decide_and_a_tie_nothing(ratings, verdict):
    assert Nodule("a", "a", ".", ratings).malignant is verdict


def test_who_has_a_malignant_nodule_is_tested_on_with_all(tmp_path):
    benign = {f"p{k}_1": told(f"p{k}", 1, 1, 2) for k in range(10)}
    cases = {**benign, "p0_2": told("p0", 5, 5, 5), "p1_2": told("p1", 1, 1, 4, 4)}
    parts = task(tmp_path, cases, shift="malignancy").cases()
    names = {part: {case.id for case in found} for part, found in parts.items()}
    assert {"p0_1", "p0_2"} <= names["test"]
    assert names["train"] | names["test"] == {*benign, "p0_2"}
    assert len(names["test"]) == 3  # and one of the nine patients without
    assert {case.id for case in parts["test"] if case.shift} == {"p0_2"}
    assert not {c.patient for c in parts["train"]} & {c.patient for c in parts["test"]}


def test_another_shift_is_refused(tmp_path):
    with pytest.raises(SpecError, match='expected "malignancy" or nothing'):
        task(tmp_path, {"a": told("a", 1)}, shift="texture").cases()


@pytest.mark.parametrize(
    ("name", "one", "message"),
    [
        ("a", {"patient": "a", "folder": "."}, "not a nodule"),
        ("a", told("a", 1, folder="../other"), "plain name"),
        ("../a", told("a", 1), "plain name"),
        ("a", told("a", 1, 2, 3, 4, 5), "1 to 4 readers"),
        ("a", told("a", "bad"), "not a nodule"),
    ],
)
def test_a_table_that_is_not_one_is_told_by_its_case(tmp_path, name, one, message):
    with pytest.raises(DataError, match=message):
        task(tmp_path, {name: one}).cases()


@pytest.mark.realdata
def test_the_real_nodules_are_as_counted(real_data):
    folder = real_data / LidcRaters.folder
    if not folder.is_dir():
        pytest.skip("the readers' outlines are not here")
    real = LidcRaters(root=folder)
    cases = real.cases()["all"]
    drawn = [sum(path is not None for path in case.raters.values()) for case in cases]
    assert [drawn.count(number) for number in (4, 3)] == [173, 54]
    assert all(path.is_file() for case in cases for path in case.files)
    label = read_reference(cases[0], real.card)
    readers = [reader.array for reader in read_raters(cases[0], real.card, label).values()]
    assert (np.maximum.reduce(readers) == label.array).all()  # their union

    split = json.loads((folder / "readers.json").read_text())["cases"]
    verdict = {None: "tie", True: "ood", False: "iid"}
    assert {n.name: verdict[n.malignant] for n in real._nodules} == {
        name: one["values_split"]["malignancy"] for name, one in split.items()
    }
    four = [verdict[n.malignant] for n in real._nodules if n.folder == "."]
    assert [four.count(kind) for kind in ("iid", "ood", "tie")] == [60, 74, 39]

    shifted = split_cases(LidcRaters(root=folder, shift="malignancy"))
    assert sum(case.shift is not None for case in shifted.test) == 108
    patients = [{case.patient for case in getattr(shifted, part)} for part in SPLIT_PARTS]
    assert not patients[0] & patients[1] | patients[0] & patients[2] | patients[1] & patients[2]
    assert not any(case.shift for case in (*shifted.train, *shifted.validation))
