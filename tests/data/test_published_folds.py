"""Folds that lie beside the data are used, or refused where they don't divide the cases."""

import json

import pytest
from voxbench.data.published_folds import published_folds
from voxbench.errors import DataError

CASES = [f"s{number:04}" for number in range(8)]
HALVES = CASES[:4], CASES[4:]
FOLD_OF = dict.fromkeys(CASES[:4], 0) | dict.fromkeys(CASES[4:], 1)


def final(root, *validating, form="{}"):
    named = [{"train": [], "val": [form.format(case) for case in cases]} for cases in validating]
    (root / "splits_final.json").write_text(json.dumps(named))


def column(root, *cells, header="image_id;age;fold"):
    rows = [f"{case};40;{cell}" for case, cell in zip(CASES, cells, strict=True)]
    (root / "meta.csv").write_text("\n".join([header, *rows]))


def lists(root, *tested):
    for number, cases in enumerate(tested):
        (root / f"jhh_test_fold_{number}.txt").write_text("\n".join(cases) + "\n")
        (root / f"jhh_train_fold_{number}.txt").write_text("\n".join({*CASES} - {*cases}))


def data_list(root, *tested):
    training = [
        {
            "image": f"imagesTr/{case}_0000.nii.gz",
            "label": f"labelsTr/{case}.nii.gz",
            "fold": number,
        }
        for number, cases in enumerate(tested)
        for case in cases
    ]
    (root / "brats21_folds.json").write_text(json.dumps({"training": training}))


def test_without_any_nobody_published_them(tmp_path):
    assert published_folds(tmp_path, CASES, 2) is None


@pytest.mark.parametrize("write", [final, lists, data_list])
def test_folds_are_those_that_each_case_is_tested_in(tmp_path, write):
    write(tmp_path, *HALVES)
    assert published_folds(tmp_path, CASES, 2) == FOLD_OF
    with pytest.raises(DataError, match='has 2 folds, not 5; say folds = 2, or split = "own"'):
        published_folds(tmp_path, CASES, 5)


@pytest.mark.parametrize("cells", ["00001111", "11112222", ["3.0"] * 4 + ["7"] * 4])
def test_a_column_of_numbers_is_folds_whatever_it_counts_from(tmp_path, cells):
    column(tmp_path, *cells)
    assert published_folds(tmp_path, CASES, 2) == FOLD_OF


def test_one_fold_alone_is_a_split_and_no_folds(tmp_path):
    final(tmp_path, CASES[:2])
    assert published_folds(tmp_path, CASES, 5) is None


def test_a_column_comes_before_the_files_of_others_if_it_has_as_many(tmp_path):
    column(tmp_path, *"00001111")
    final(tmp_path, CASES[::2], CASES[1::2])
    assert published_folds(tmp_path, CASES, 2) == FOLD_OF
    final(tmp_path, CASES[:2], CASES[2:4], CASES[4:])
    assert published_folds(tmp_path, CASES, 3)["s0002"] == 1


def test_rows_may_be_persons_and_what_is_called_test_stays_aside(tmp_path):
    sessions = ["sub-01_ses-1", "sub-01_ses-2", "sub-02_ses-1", "sub-03_ses-1"]
    rows = "participant_id\tfold\nsub-01\t1\nsub-02\t0\nsub-03\ttest\n"
    (tmp_path / "participants.tsv").write_text(rows)
    expected = dict(zip(sessions, (1, 1, 0), strict=False))
    assert published_folds(tmp_path, sessions, 2) == expected


@pytest.mark.parametrize("second", [CASES[3:], CASES[5:], [*CASES[4:7], "s9999"]])
@pytest.mark.parametrize("write", [final, lists, data_list])
def test_folds_that_do_not_test_on_every_case_once_are_refused(tmp_path, write, second):
    write(tmp_path, CASES[:4], second)
    with pytest.raises(DataError, match="2 folds don't test on each of the 8 cases once"):
        published_folds(tmp_path, CASES, 2)


def test_a_column_that_leaves_a_case_out_is_refused(tmp_path):
    column(tmp_path, *"0000111", "")
    with pytest.raises(
        DataError, match=r"column fold of meta\.csv: its 2 folds don't test on each"
    ):
        published_folds(tmp_path, CASES, 2)


@pytest.mark.parametrize("content", ["{not json", "[1, 2]", '[{"val": ["s0000"]}, {}]'])
def test_folds_that_cannot_be_read_are_not_taken_for_none(tmp_path, content):
    (tmp_path / "splits_final.json").write_text(content)
    with pytest.raises(DataError, match="no folds of nnU-Net"):
        published_folds(tmp_path, CASES, 2)


def test_lists_that_count_from_another_start_are_refused(tmp_path):
    lists(tmp_path, [str(number) for number in range(1, 5)], [str(n) for n in range(5, 9)])
    with pytest.raises(DataError, match=r"from 1 to 8, .* from 0 to 7"):
        published_folds(tmp_path, [str(number) for number in range(8)], 2)
