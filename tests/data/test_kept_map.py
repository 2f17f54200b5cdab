"""Predictions are kept in the values of their data set; older ones hold class indices."""

import json

import numpy as np
import pytest
from voxbench.data.kept_map import class_indices, read_prediction, write_prediction
from voxbench.data.label_map import read_label_map, write_label_map
from voxbench.errors import DataError
from voxbench.records.predictions import describe_predictions, prediction_path
from voxbench.score import choose_options, pair_cases, score_folders
from voxbench.submission.labelmap import read_map

from tests.data.toy import RAS_2MM, save, volumes

CLASSES = {"box": 4, "ball": 1}  # not in the order of their values
LABEL = volumes()[1]
INDICES = np.array([0, 2, 0, 0, 1], np.uint8)[LABEL]


def test_a_kept_prediction_holds_label_values_and_is_read_as_class_indices(tmp_path):
    path = tmp_path / "a.nii.gz"
    write_prediction(path, INDICES, CLASSES, RAS_2MM)
    assert np.array_equal(read_label_map(path).array, LABEL)
    assert np.array_equal(read_prediction(path, CLASSES).array, INDICES)
    submitted = read_map(path.read_bytes())
    assert submitted.marked
    assert np.array_equal(class_indices(submitted.labels, CLASSES, marked=True), INDICES)


def test_values_beyond_a_byte_are_kept_as_they_are(tmp_path):
    path, classes = tmp_path / "a.nii.gz", {"box": 500, "ball": 200}
    write_prediction(path, INDICES, classes, RAS_2MM)
    assert np.array_equal(read_label_map(path).array, np.array([0, 500, 200])[INDICES])
    assert np.array_equal(read_prediction(path, classes).array, INDICES)
    submitted = read_map(path.read_bytes())
    assert np.array_equal(class_indices(submitted.labels, classes, marked=True), INDICES)


def test_an_older_one_holds_class_indices(tmp_path):
    path = tmp_path / "a.nii.gz"
    write_label_map(path, INDICES, RAS_2MM)
    assert np.array_equal(read_prediction(path, CLASSES).array, INDICES)
    assert not read_map(path.read_bytes()).marked


def test_what_is_no_class_is_named(tmp_path):
    path = tmp_path / "a.nii.gz"
    write_label_map(path, LABEL, RAS_2MM)
    with pytest.raises(DataError, match=r"a\.nii\.gz: it holds 4, the 2 classes are \[1, 2\]"):
        read_prediction(path, CLASSES)
    with pytest.raises(ValueError, match=r"it holds 2, the 2 classes are \[4, 1\]"):
        class_indices(INDICES, CLASSES, marked=True)


@pytest.mark.parametrize("layout", ["maps", "masks"])
def test_a_perfect_kept_prediction_scores_perfectly_against_its_data_set(tmp_path, layout):
    write_prediction(prediction_path(tmp_path, "key", "a"), INDICES, CLASSES, RAS_2MM)
    describe_predictions(tmp_path, "key", CLASSES)
    data = tmp_path / "data"
    if layout == "maps":
        save(data / "labelsTr" / "a.nii.gz", LABEL)
        (data / "dataset.json").write_text(json.dumps({"labels": {"background": 0, **CLASSES}}))
    else:
        for name, value in CLASSES.items():
            mask = (value == LABEL).astype(np.uint8)
            save(data / "a" / "segmentations" / f"{name}.nii.gz", mask)
    ours = tmp_path / "predictions" / "key"
    pairing = pair_cases(ours, data)
    options = choose_options(pairing, ours, data, tolerance_mm=["1"])
    [result] = score_folders(pairing, options)
    assert {name: score.dice for name, score in result.scores.items()} == {"box": 1.0, "ball": 1.0}
