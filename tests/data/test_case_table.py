"""Tables that others wrote about the cases."""

import pytest
from voxbench.data.case_names import ShiftedNumbersError
from voxbench.data.case_table import read_table
from voxbench.errors import DataError

CASES = ["case_001", "case_002", "case_010"]


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


def test_a_column_that_numbers_the_cases_one_further_is_refused(tmp_path):
    file = tmp_path / "meta.csv"
    file.write_text("index,case,who\n1,0,p\n2,1,q\n3,2,r\n")
    assert read_table(file).rows_of(["0", "1", "2"], apart="who") == {"0": [0], "1": [1], "2": [2]}
    file.write_text("case,who\n1,p\n2,q\n3,r\n")
    with pytest.raises(ShiftedNumbersError, match=r"meta\.csv: column case: numbers the cases"):
        read_table(file).rows_of(["0", "1", "2"], apart="who")


def test_rows_of_people_are_those_of_the_cases_that_begin_with_them(tmp_path):
    file = tmp_path / "participants.tsv"
    file.write_text("participant_id\tage\nsub-01\t40\nsub-02\t41\nsub-01\t42\n")
    cases = ["sub-01_ses-1", "sub-01_ses-2", "sub-03_ses-1"]
    found = read_table(file).rows_begun("participant_id", cases)
    assert found == {"sub-01_ses-1": [0, 2], "sub-01_ses-2": [0, 2]}


def test_a_table_that_can_t_be_read_is_named(tmp_path):
    file = tmp_path / "meta.csv"
    file.write_bytes("a;Zürich".encode("cp1252"))
    with pytest.raises(DataError, match=r"meta\.csv: can't be read as CSV in UTF-8"):
        read_table(file)
    file.write_text("id,who,who\n")
    with pytest.raises(DataError, match="two columns are called 'who'"):
        read_table(file)
