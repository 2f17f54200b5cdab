"""Splits that lie beside the data are used, and told."""

import json
from pathlib import Path

import pytest
from voxbench.data.folder_cases import arrange_cases
from voxbench.errors import DataError, SpecError

from tests.data.toy import named

CASES = [f"s{number:04}" for number in range(8)]
HALVES = {"train": CASES[:5], "validation": CASES[5:6], "test": CASES[6:]}


def arrange(root, split=None, **found):
    found = found or {"train": CASES}
    return arrange_cases(
        root, {p: [named(c) for c in cases] for p, cases in found.items()}, None, split
    )


def ids(arranged):
    return {part: [case.id for case in cases] for part, cases in arranged.parts.items()}


def meta(root, words, name="meta.csv", header="image_id;age;split"):
    rows = [f"{case};40;{word}" for case, word in zip(CASES, words, strict=True)]
    (root / name).write_text("\n".join([header, *rows]))


def folds(root, *parts, form="{}"):
    named_so = [{k: [form.format(c) for c in cases] for k, cases in part.items()} for part in parts]
    (root / "splits_final.json").write_text(json.dumps(named_so))


def test_without_one_the_engine_parts_the_cases(tmp_path):
    found = arrange(tmp_path)
    assert ids(found) == {"all": CASES}
    assert len(found.notes) == 1


@pytest.mark.parametrize("words", [("train", "val", "test"), ("Training", "validation", "TESTING")])
def test_a_column_of_a_table_is_used_and_named(tmp_path, words):
    train, val, test = words
    meta(tmp_path, [train] * 5 + [val] + [test] * 2)
    found = arrange(tmp_path)
    assert ids(found) == HALVES
    told = "published, by column split of meta.csv: 5 train, 1 validation, 2 test"
    assert found.notes[-1] == f"split: {told}"


def test_the_sweep_overrides_it_in_writing(tmp_path):
    meta(tmp_path, ["train"] * 5 + ["val"] + ["test"] * 2)
    found = arrange(tmp_path, split="own")
    assert ids(found) == {"all": CASES}
    assert found.notes[-1] == "split: by patient, as `split` says"
    with pytest.raises(SpecError, match="split: expected \"own\" or nothing, got 'mine'"):
        arrange(tmp_path, split="mine")


def test_folders_tell_the_parts(tmp_path):
    found = arrange(tmp_path, **HALVES)
    assert ids(found) == HALVES
    assert "published, by its folders: 5 train" in found.notes[-1]
    own = arrange(tmp_path, split="own", **HALVES)
    assert ids(own) == {"all": CASES[:5]}
    assert "3 cases in folders of other parts are left out" in own.notes[-1]


def test_what_is_tested_on_is_the_last_part_that_has_labels(tmp_path):
    found = arrange(tmp_path, train=CASES[:6], validation=CASES[6:])
    assert ids(found) == {"train": CASES[:6], "test": CASES[6:]}
    assert "2 validation, on which is tested" in found.notes[-1]


def test_the_first_fold_of_nnu_net_is_used_and_within_folders_it_validates(tmp_path):
    folds(tmp_path, {"train": CASES[:6], "val": CASES[6:]}, {"train": CASES[2:], "val": CASES[:2]})
    found = arrange(tmp_path)
    assert ids(found) == {"train": CASES[:6], "test": CASES[6:]}
    assert "the first fold of splits_final.json" in found.notes[-1]
    folds(tmp_path, {"train": CASES[:5], "val": CASES[5:6]}, form="{}.nii.gz")
    assert ids(arrange(tmp_path, train=CASES[:6], test=CASES[6:])) == HALVES


def test_cases_of_no_part_are_left_out_and_told(tmp_path):
    meta(tmp_path, ["train"] * 4 + [""] + ["val"] + ["test"] * 2)
    found = arrange(tmp_path)
    assert ids(found)["train"] == CASES[:4]
    assert found.notes[-1].endswith("left out, as it names no part of them: s0004")


def test_a_part_of_a_data_set_without_test_cases_is_parted_by_patient(tmp_path):
    meta(tmp_path, ["train"] * 8)
    found = arrange(tmp_path)
    assert ids(found) == {"all": CASES}
    assert "column split of meta.csv has no case here to test on" in found.notes[-1]


def test_a_column_of_something_else_is_no_split(tmp_path):
    meta(tmp_path, list("01234012"))
    assert ids(arrange(tmp_path)) == {"all": CASES}


@pytest.mark.parametrize("words", [("1", "2", "3"), ("0.0", "1.0", "2.0"), ("0", "4", "10")])
def test_the_first_of_numbered_folds_validates(tmp_path, words):
    one, two, three = words
    meta(tmp_path, [two, one, two, three, one, two, three, one], header="image_id;age;fold")
    found = arrange(tmp_path)
    assert ids(found)["test"] == [CASES[1], CASES[4], CASES[7]]
    assert "column fold of meta.csv" in found.notes[-1]


def test_a_column_of_folds_may_name_the_test_part(tmp_path):
    meta(tmp_path, ["1"] * 3 + ["2"] * 2 + ["0"] + ["test"] * 2, header="image_id;age;fold")
    assert ids(arrange(tmp_path)) == HALVES
    meta(tmp_path, ["1"] * 3 + ["2"] * 2 + ["0"] + ["left"] * 2, header="image_id;age;fold")
    with pytest.raises(DataError, match=r"column fold of meta\.csv: left names no part"):
        arrange(tmp_path)


def test_one_fold_alone_is_no_split(tmp_path):
    meta(tmp_path, ["1"] * 8, header="image_id;age;fold")
    assert ids(arrange(tmp_path)) == {"all": CASES}


def test_a_split_that_contradicts_itself_or_the_data_is_refused_with_the_way_out(tmp_path):
    def refused(says, **found):
        with pytest.raises(DataError, match=rf"{says}.*split = \"own\""):
            arrange(tmp_path, **found)

    meta(tmp_path, ["train"] * 7 + ["tset"])
    refused("column split of meta.csv: tset names no part")
    meta(tmp_path, ["test"] * 8)
    refused("has no case here to train on")
    meta(tmp_path, ["train"] * 5 + ["val"] + ["test"] * 2)
    refused("names none of the cases a, b, c", train=list("abc"))
    Path(tmp_path / "patients.json").write_text(json.dumps({CASES[0]: "p", CASES[7]: "p"}))
    refused("has patient 'p' in train and in test")
    (tmp_path / "patients.json").unlink()
    (tmp_path / "meta.csv").unlink()
    folds(tmp_path, {"train": CASES, "val": CASES[:1]})
    refused("the first fold of splits_final.json has s0000 in two parts")
    folds(tmp_path, {"train": ["x"], "val": ["y"]})
    refused("names none of the cases")
    (tmp_path / "splits_final.json").write_text("{}")
    refused("no splits of nnU-Net")
    (tmp_path / "splits_final.json").unlink()
    refused(r"cases of two parts have one name \(a\)", train=["a", "b"], test=["a"])


LISTS = {
    "splits.json": {"train": CASES[:5], "val": CASES[5:6], "test": CASES[6:]},
    "split_seed1.json": [{"Training": CASES[:5], "Validation": CASES[5:6], "Testing": CASES[6:]}],
    "dataset_0.json": {
        "name": "for MONAI",
        "training": [{"image": f"imagesTr/{c}_0000.nii.gz", "fold": 0} for c in CASES[:5]],
        "validation": [{"image": "x", "label": f"labelsTr/{c}.nii.gz"} for c in CASES[5:6]],
        "test": [f"./imagesTr/{c}.nii.gz" for c in CASES[6:]],
    },
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_in_other_json_files_are_a_split_too(tmp_path, name):
    (tmp_path / name).write_text(json.dumps(LISTS[name]))
    found = arrange(tmp_path)
    assert ids(found) == HALVES
    assert f"published, by {name}" in found.notes[-1]


def test_lists_a_case_a_line_are_a_split_too(tmp_path):
    for part, cases in {"train": CASES[:5], "VAL": CASES[5:6], "test": CASES[6:]}.items():
        (tmp_path / f"{part}.txt").write_text("\n".join(cases) + "\n")
    assert ids(arrange(tmp_path)) == HALVES


def test_files_that_list_other_things_are_no_split(tmp_path):
    (tmp_path / "plans.json").write_text("{not json")
    (tmp_path / "dataset.json").write_text(json.dumps({"training": CASES, "test": ["s9999"]}))
    (tmp_path / "fingerprint.json").write_text(json.dumps({"train": [1, 2], "test": [3]}))
    (tmp_path / "readme.txt").write_text("train and test")
    (tmp_path / "train.txt").write_text("a log")
    meta(tmp_path, ["train", "tset"] * 4, name="scores.csv")
    assert ids(arrange(tmp_path)) == {"all": CASES}


def test_a_table_of_another_name_may_hold_the_split(tmp_path):
    meta(tmp_path, ["train"] * 5 + ["val"] + ["test"] * 2, name="Clinical.TSV")
    assert ids(arrange(tmp_path)) == HALVES


def test_a_split_that_names_no_case_or_can_t_be_read_is_refused(tmp_path):
    for name, content in {
        "my_split.json": json.dumps({"train": ["a"], "test": ["b"]}),
        "splits_final.pkl": "",
    }.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(DataError, match=rf'{name}.*split = "own"'):
            arrange(tmp_path)


NUMBERS = [str(number) for number in range(1, 9)]
FROM_ONE = {
    "meta.csv": "image_id,split\n" + "".join(f"{n},train\n" for n in NUMBERS[:6]) + "7,val\n8,val",
    "parts.csv": "image_id,fold\n" + "".join(f"{n},{int(n) % 2}\n" for n in NUMBERS),
    "splits_final.json": json.dumps([{"train": NUMBERS[:6], "val": NUMBERS[6:]}]),
    "split.json": json.dumps({"training": NUMBERS[:6], "validation": NUMBERS[6:]}),
}


@pytest.mark.parametrize("file", FROM_ONE)
def test_a_split_that_counts_from_1_beside_cases_from_0_is_refused(tmp_path, file):
    (tmp_path / file).write_text(FROM_ONE[file])
    with pytest.raises(DataError, match=rf"{file}.*from 1 to 8, .* from 0 to 7.*Write the ids"):
        arrange(tmp_path, train=[str(number) for number in range(8)])
