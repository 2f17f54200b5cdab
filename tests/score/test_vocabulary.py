"""Label values, class indices and masks meet by the names of classes, or not at all."""

import json

import numpy as np
import pytest
from voxbench.errors import DataError, SpecError
from voxbench.score import choose_options, pair_cases, score_folders
from voxbench.score.vocabulary import read_vocabulary

from tests.data.toy import save, volumes

LABEL = volumes()[1]  # ball 1, box 4
NAMES = {"background": 0, "ball": 1, "box": 4}


def maps(folder, label=LABEL, labels=None):
    save(folder / "a.nii.gz", label.astype(np.uint8))
    if labels:
        (folder / "dataset.json").write_text(json.dumps({"labels": labels}))
    return folder


def masks(folder, label=LABEL, names=("ball", "box")):
    for name, value in zip(names, (1, 4), strict=True):
        save(folder / "a" / "segmentations" / f"{name}.nii.gz", (label == value).astype(np.uint8))
    return folder


def dice(ours, theirs, **said):
    pairing = pair_cases(ours, theirs)
    options = choose_options(pairing, ours, theirs, tolerance_mm=["1"], **said)
    [result] = score_folders(pairing, options)
    return {name: score.dice for name, score in result.scores.items()}


INDICES = np.searchsorted([0, 1, 4], LABEL)
SWAPPED = np.array([0, 2, 1])[INDICES]
SIDES = {
    "values": lambda at: maps(at, LABEL, NAMES),
    "indices": lambda at: maps(at, INDICES, {"0": "background", "1": "ball", "2": "box"}),
    "another order": lambda at: maps(at, SWAPPED, {"background": 0, "box": 1, "ball": 2}),
    "masks": masks,
}


@pytest.mark.parametrize("ours", SIDES)
@pytest.mark.parametrize("theirs", SIDES)
def test_perfect_predictions_are_perfect_whatever_either_side_is_written_in(tmp_path, ours, theirs):
    found = dice(SIDES[ours](tmp_path / "ours" / "x"), SIDES[theirs](tmp_path / "theirs" / "x"))
    assert found == {"ball": 1.0, "box": 1.0}


def test_values_without_a_meaning_are_an_error_and_no_score(tmp_path):
    theirs = maps(tmp_path / "theirs", labels=NAMES)
    with pytest.raises(DataError, match=r"a\.nii\.gz holds 2, .*has 0, 1, 4: are these"):
        dice(maps(tmp_path / "ours", INDICES), theirs)
    stray = LABEL.copy()
    stray[0, 0, 0] = 9
    with pytest.raises(DataError, match=r"theirs/a\.nii\.gz holds 9, .*dataset\.json has 0, 1, 4"):
        dice(maps(tmp_path / "exact"), maps(tmp_path / "theirs", stray))


def test_maps_against_masks_need_a_meaning(tmp_path):
    ours, theirs = maps(tmp_path / "ours"), masks(tmp_path / "theirs")
    with pytest.raises(SpecError, match=r"nothing says which value is which: give --class ball=1"):
        dice(ours, theirs)
    assert dice(ours, theirs, classes=["ball=1", "box=4"]) == {"ball": 1.0, "box": 1.0}


def test_a_class_that_the_prediction_does_not_know_is_named(tmp_path):
    ours = maps(tmp_path / "ours", labels={"background": 0, "Ball": 1, "box": 4})
    with pytest.raises(DataError, match=r"unknown class 'ball'\. Did you mean 'Ball'"):
        dice(ours, masks(tmp_path / "theirs"))


def test_a_map_of_all_classes_is_no_mask(tmp_path):
    ours = masks(tmp_path / "ours")
    save(ours / "a" / "segmentations" / "box.nii.gz", LABEL)
    with pytest.raises(DataError, match="a mask holds 0 and 1, found 0 … 4"):
        dice(ours, masks(tmp_path / "theirs"))


@pytest.mark.parametrize("ours", SIDES)
def test_what_nobody_annotated_counts_for_neither_side(tmp_path, ours):
    reference = LABEL.copy()
    reference[10:] = 7  # through the ball
    theirs = maps(tmp_path / "theirs", reference, {**NAMES, "ignore": 7})
    assert dice(SIDES[ours](tmp_path / "ours" / "x"), theirs) == {"ball": 1.0, "box": 1.0}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"background": 0, "liver": 1, "ignore": 2}, {"liver": 1}),
        ({"background": 0, "whole": [1, 2], "core": [2]}, {"whole": (1, 2), "core": (2,)}),
        ({"0": "background", "1": "Anterior", "2": "Posterior"}, {"Anterior": 1, "Posterior": 2}),
    ],
    ids=["nnU-Net", "regions", "Decathlon"],
)
def test_classes_come_from_the_dataset_json_beside_the_labels(tmp_path, labels, expected):
    (tmp_path / "labelsTr").mkdir()
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}))
    for folder in (tmp_path, tmp_path / "labelsTr"):
        assert read_vocabulary(folder).classes == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"labels": {"background": 0, "a": 1,}}', "not valid JSON"),
        (b'{"labels": ["background", "a"]}', "labels: expected"),
        (b'{"labels": {"background": "0", "a": "1.0"}}', "got '1.0'"),
    ],
    ids=["comma", "list", "text"],
)
def test_a_dataset_json_that_can_t_be_used_is_explained(tmp_path, content, says):
    (tmp_path / "dataset.json").write_bytes(content)
    with pytest.raises(DataError, match=rf"dataset\.json: .*{says}"):
        read_vocabulary(tmp_path)


def test_a_dataset_json_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "dataset.json").write_text('{"labels": {"a": 1}}', encoding="utf-8-sig")
    assert read_vocabulary(tmp_path).classes == {"a": 1}


def test_a_dataset_json_without_labels_says_nothing_of_classes(tmp_path):
    (tmp_path / "dataset.json").write_text('{"name": "x"}')
    assert read_vocabulary(tmp_path) is None
