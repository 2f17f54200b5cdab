import json
from pathlib import Path

import pytest
from voxbench.data.dataset_json import DatasetJson, read_json
from voxbench.errors import DataError


def described(**table):
    return DatasetJson(Path("dataset.json"), table)


def test_both_versions_of_nnunet_and_the_decathlon_say_the_same():
    second = described(channel_names={"0": "CT"}, labels={"background": 0, "b": 2, "a": 1})
    first = described(modality={"0": "CT"}, labels={"0": "background", "2": "b", "1": "a"})
    for one in (first, second):
        assert one.channels == ("CT",)
        assert list(one.classes.items()) == [("b", 2), ("a", 1)]
        assert one.ignored is None


def test_regions_are_several_values_and_the_ignore_label_is_no_class():
    one = described(labels={"background": 0, "whole": [1, 2], "core": [2], "ignore": 3})
    assert one.classes == {"whole": (1, 2), "core": (2,)}
    assert one.ignored == 3


def test_channels_come_in_the_order_of_their_numbers():
    names = {str(number): f"c{number}" for number in reversed(range(12))}
    assert described(channel_names=names).channels == tuple(f"c{number}" for number in range(12))


def test_values_may_be_written_as_text():
    assert described(labels={"background": "0", "a": "1"}).classes == {"a": 1}


def test_the_training_cases_lie_beside_the_file():
    item = {"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}
    one = DatasetJson(Path("data/dataset.json"), {"training": [item]})
    assert one.training == ((Path("data/imagesTr/a.nii.gz"), Path("data/labelsTr/a.nii.gz")),)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("classes", None, r"labels: expected {\"background\": 0, …}, got nothing"),
        ("classes", ["background", "a"], "labels: expected .* got ['background', 'a']"),
        ("classes", {"a": "1.0"}, "labels: expected a whole number from 0 for 'a', got '1.0'"),
        ("classes", {"a": 1.5}, "labels: expected a whole number from 0 for 'a', got 1.5"),
        ("classes", {"a": True}, "labels: expected a whole number from 0 for 'a', got True"),
        ("classes", {"a": -1}, "labels: expected a whole number from 0 for 'a', got -1"),
        ("classes", {"a": [1, "x"]}, "labels: expected a whole number from 0 for 'a', got 'x'"),
        ("classes", {"a": []}, "labels: expected a whole number from 0 for 'a', got []"),
        ("classes", {"1": "a", "2": "a"}, "labels: expected every name once, got ['a', 'a']"),
        ("ignored", {"ignore": [3]}, "labels: expected a whole number from 0 for 'ignore', got"),
        ("channels", None, 'channel_names: expected {"0": "CT", "1": …}, got nothing'),
        ("channels", {"MR": 0}, "channel_names: expected .* got {'MR': 0}"),
        ("channels", {"1": "CT", "2": "MR"}, "channel_names: expected .* got {'1': 'CT', '2'"),
        ("channels", ["CT"], "channel_names: expected .* got ['CT']"),
        ("training", [], "training: expected the list of training cases, got []"),
        ("training", [{"image": "a"}], "training: expected image and label, got {'image': 'a'}"),
        ("training", [{"image": 1, "label": 2}], "training: expected image and label, got"),
    ],
)
def test_what_can_t_be_used_is_one_line_with_file_key_and_value(key, value, says):
    written = {"classes": "labels", "ignored": "labels", "channels": "channel_names"}.get(key, key)
    with pytest.raises(DataError) as caught:
        getattr(described(**{written: value}), key)
    said = str(caught.value)
    assert said.startswith("dataset.json: ")
    for part in says.replace("\\", "").split(" .* "):
        assert part in said
    assert "\n" not in said


def test_a_byte_order_mark_is_skipped(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"name": "Zürich"}), encoding="utf-8-sig")
    assert read_json(tmp_path / "a.json") == {"name": "Zürich"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"labels": {"a": 1,}}', "not valid JSON"),
        ('{"name": "Zürich"}'.encode("cp1252"), "not valid JSON"),
        (b"[1]", "expected a JSON object, got list"),
        (b"[" * 100_000, "not valid JSON"),
        (b"", "not valid JSON"),
    ],
    ids=["comma", "not UTF-8", "list", "deep", "empty"],
)
def test_a_file_that_is_no_json_object_is_named(tmp_path, content, says):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.json: {says}"):
        read_json(tmp_path / "a.json")


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"a\.json: no such file\. Unpack it\.$"):
        DatasetJson.read(tmp_path / "a.json", "Unpack it.")


def test_background_and_the_ignore_label_may_be_in_capitals(tmp_path):
    table = {"Background": 0, "liver": 1, "Ignore": 2}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": table}))
    found = DatasetJson.read(tmp_path / "dataset.json")
    assert (found.classes, found.ignored) == ({"liver": 1}, 2)


def test_a_background_that_is_not_0_is_refused(tmp_path):
    table = {"background": 1, "liver": 2, "spleen": 0}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": table}))
    with pytest.raises(DataError, match="labels: expected 0 for the background, got 1"):
        _ = DatasetJson.read(tmp_path / "dataset.json").classes
