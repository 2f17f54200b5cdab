"""Tables that others wrote, about cases that they call otherwise."""

import pytest
from voxbench.data.case_table import match_names, match_starts, read_table, some
from voxbench.errors import DataError

CASES = ["case_001", "case_002", "case_010"]


@pytest.mark.parametrize(
    "names",
    [
        ["case_001", "case_010"],
        ["case_001.nii.gz", "case_010.NII.GZ"],
        ["imagesTr/case_001_0000.nii.gz", "imagesTr\\case_010_0000.nii"],
        ["CASE_001", "Case_010"],
        ["case_1", "case_10"],
        ["1", "10"],
        ["001", "0010"],
        ["1.0", "10.0"],
    ],
)
def test_a_name_may_be_written_otherwise(names):
    assert match_names(names, CASES) == {"case_001": [names[0]], "case_010": [names[1]]}


def test_a_name_means_no_case_by_chance():
    assert match_names(["patient_001", "x"], CASES) == {}
    assert match_names(["1"], ["a_001", "b_002"]) == {}
    assert match_names(["1"], ["a_001", "a_002_3"]) == {}
    assert match_names(["1"], CASES, numbers=False) == {}
    assert match_names(["1"], ["1", "01"]) == {"1": ["1"]}


def test_what_is_written_exactly_so_counts_before_what_is_alike():
    assert match_names(["a_1", "a_01", "a_2"], ["a_01", "a_02"]) == {
        "a_01": ["a_1", "a_01"],
        "a_02": ["a_2"],
    }
    assert match_names(["a_1", "a_01"], ["a_1", "a_01"]) == {"a_1": ["a_1"], "a_01": ["a_01"]}


def test_names_of_people_begin_those_of_their_cases():
    cases = ["sub-01_ses-1", "sub-01_ses-2", "sub-010_ses-1", "x"]
    owners = {"sub-01_ses-1": "sub-01", "sub-01_ses-2": "sub-01", "sub-010_ses-1": "sub-010"}
    assert match_starts(["sub-01", "sub-010"], cases) == owners
    assert match_starts(["1", "10"], cases) == {
        case: {"sub-01": "1", "sub-010": "10"}[owner] for case, owner in owners.items()
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_has_columns_as_long_as_it_has_rows(tmp_path, delimiter):
    file = tmp_path / "meta.csv"
    rows = [["image_id", "age", "who"], ["a", "n/a", " p "], ["b"], [], ["c", "3", "NaN", "more"]]
    file.write_text("\n".join(delimiter.join(row) for row in rows), encoding="utf-8-sig")
    table = read_table(file)
    assert table.columns == {
        "image_id": ["a", "b", "c"],
        "age": ["", "", "3"],
        "who": ["p", "", ""],
    }


def test_the_rows_of_a_case_are_found_by_whichever_column_names_it(tmp_path):
    file = tmp_path / "meta.csv"
    file.write_text("age,scan,who\n1,case_001,p\n2,case_002,q\n10,case_010,r\n10,case_010,r\n")
    rows = {"case_001": [0], "case_002": [1], "case_010": [2, 3]}
    assert read_table(file).rows_of(CASES, apart="who") == rows
    file.write_text("who,age,other\np,1,case_001\nq,2,case_002\nr,10,case_010\nr,10,case_010\n")
    assert read_table(file).rows_of(CASES, apart="who") == rows


def test_a_table_that_can_t_be_read_is_named(tmp_path):
    file = tmp_path / "meta.csv"
    file.write_bytes("a;Zürich".encode("cp1252"))
    with pytest.raises(DataError, match=r"meta\.csv: can't be read as CSV in UTF-8"):
        read_table(file)
    file.write_text("id,who,who\n")
    with pytest.raises(DataError, match="two columns are called 'who'"):
        read_table(file)


def test_many_names_are_three_and_their_number():
    assert some("ba") == "a, b"
    assert some("edcba") == "a, b, c, … (5)"
    assert some([]) == "none"
