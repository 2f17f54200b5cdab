"""Which file belongs to which."""

import pytest
from voxbench.errors import DataError
from voxbench.score import pair_cases
from voxbench.score.pair import find_cases, mask_structures


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


def test_a_data_set_gives_the_part_that_was_predicted(tmp_path):
    raw = touch(tmp_path / "raw", "labelsTr/a.nii.gz", "labelsTs/b.nii.gz", "labelsVa/c.nii.gz")
    for name in "abc":
        ours = touch(tmp_path / name, f"{name}.nii.gz")
        assert list(pair_cases(ours, raw).cases) == [name]


def test_two_files_of_one_case_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"a\.nii and a\.nii\.gz are one case"):
        find_cases(touch(tmp_path, "a.nii", "a.nii.gz"))


def test_the_cases_of_a_folder_are_scored_alone_and_the_others_named(tmp_path):
    ours = touch(tmp_path / "ours", "a.nii.gz", "b.nii.gz")
    asked = touch(tmp_path / "asked", "b.nii.gz", "c.nii.gz")
    theirs = touch(tmp_path / "theirs", *(f"{name}.nii.gz" for name in "abcd"))
    found = pair_cases(ours, theirs, cases_of=ours)
    assert (list(found.cases), list(found.missing)) == (["a", "b"], [])
    assert found.left_out == ["c", "d"]
    found = pair_cases(ours, theirs, cases_of=asked)
    assert (list(found.cases), list(found.missing)) == (["b"], ["c"])
    assert (found.extra, found.left_out) == (["a"], ["a", "d"])
