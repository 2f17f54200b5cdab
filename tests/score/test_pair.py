"""Which file belongs to which."""

import json

import pytest
from voxbench.errors import DataError
from voxbench.score import pair_cases
from voxbench.score.pair import dataset_classes, find_cases, mask_structures


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def test_label_maps_pair_by_name_whatever_their_compression(tmp_path):
    ours = touch(tmp_path / "ours", "a.nii.gz", "b.nii", "c.nii.gz", "._a.nii.gz", "plans.json")
    theirs = touch(tmp_path / "theirs", "a.nii", "b.nii.gz", "d.nii.gz")
    found = pair_cases(ours, theirs)
    assert found.cases == {
        "a": (ours / "a.nii.gz", theirs / "a.nii"),
        "b": (ours / "b.nii", theirs / "b.nii.gz"),
    }
    assert list(found.missing) == ["d"]
    assert found.extra == ["c"]


def test_a_data_set_stands_for_its_test_labels_or_else_its_training_labels(tmp_path):
    raw = touch(tmp_path, "imagesTr/a_0000.nii.gz", "labelsTr/a.nii.gz", "dataset.json")
    assert list(find_cases(raw)) == ["a"]
    touch(tmp_path, "labelsTs/b.nii.gz")
    assert list(find_cases(raw)) == ["b"]


def test_one_mask_a_structure_is_a_case_a_folder(tmp_path):
    touch(tmp_path, "r/1/segmentations/liver.nii.gz", "r/1/ct.nii.gz", "r/2/spleen.nii.gz")
    touch(tmp_path, "p/1.nii.gz", "p/2.nii.gz")
    found = pair_cases(tmp_path / "p", tmp_path / "r")
    assert found.cases["1"][1] == {"liver": tmp_path / "r/1/segmentations/liver.nii.gz"}
    assert mask_structures(found) == ["liver", "spleen"]


def test_folders_without_a_common_case_are_refused_with_both_their_names(tmp_path):
    touch(tmp_path, "p/x.nii.gz", "r/y.nii.gz", "empty/readme.txt")
    with pytest.raises(DataError, match=r"hold x and y\. Predictions must be named"):
        pair_cases(tmp_path / "p", tmp_path / "r")
    with pytest.raises(DataError, match="neither label maps"):
        pair_cases(tmp_path / "empty", tmp_path / "r")
    with pytest.raises(DataError, match="not a folder"):
        pair_cases(tmp_path / "nowhere", tmp_path / "r")


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
    assert dataset_classes(tmp_path / "labelsTr") == dataset_classes(tmp_path) == expected


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
        dataset_classes(tmp_path)


def test_a_dataset_json_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "dataset.json").write_text('{"labels": {"a": 1}}', encoding="utf-8-sig")
    assert dataset_classes(tmp_path) == {"a": 1}


def test_a_dataset_json_without_labels_says_nothing_of_classes(tmp_path):
    (tmp_path / "dataset.json").write_text('{"name": "x"}')
    assert dataset_classes(tmp_path) == {}
