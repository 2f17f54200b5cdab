"""Cases that others call otherwise."""

import pytest
from voxbench.data.case_names import (
    ShiftedNumbersError,
    match_names,
    match_starts,
    refuse_shifted,
    some,
)

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


FROM_ZERO = [str(number) for number in range(8)]
SHIFTED = {
    "from 1 beside 0": (range(1, 9), FROM_ZERO),
    "from 0 beside 1": (range(8), [str(number) for number in range(1, 9)]),
    "padded": (range(1, 9), [f"{number:03}" for number in range(8)]),
    "of files": (range(1, 9), [f"case_{number:03}" for number in range(8)]),
    "of further cases": (range(1, 101), FROM_ZERO),
    "with a gap": ((2, 3, 6, 7), ["1", "2", "5", "6"]),
    "two": ((1, 2), ["0", "1"]),
}


@pytest.mark.parametrize("told", SHIFTED)
def test_numbers_one_beside_those_of_the_cases_are_refused_with_both(told):
    numbers, cases = SHIFTED[told]
    with pytest.raises(
        ShiftedNumbersError, match=r"meta\.csv: numbers the cases from (\d) to \d"
    ) as e:
        refuse_shifted("meta.csv", ["", *map(str, numbers)], cases)
    assert f"ids go from {min(map(_value, cases))} to {max(map(_value, cases))}" in str(e.value)
    assert "Write the ids there" in str(e.value)


@pytest.mark.parametrize("form", ["{}.0", "{:02}.nii.gz", "scan {}", "imagesTr/{}_0000.nii.gz"])
def test_however_they_are_written(form):
    with pytest.raises(ShiftedNumbersError):
        refuse_shifted("meta.csv", [form.format(number) for number in range(1, 9)], FROM_ZERO)


def test_a_line_of_totals_hides_no_shift():
    with pytest.raises(ShiftedNumbersError):
        refuse_shifted("meta.csv", [*map(str, range(1, 9)), "all"], FROM_ZERO)


@pytest.mark.parametrize(
    ("names", "cases"),
    [
        (FROM_ZERO, FROM_ZERO),
        (["0", "1", "5"], FROM_ZERO),
        (["1", "2", "3"], FROM_ZERO),
        (["1", "2", "4"], ["0", "1", "2"]),
        (["2", "3", "4", "5"], ["1", "2", "3"]),
        (["9"], ["8"]),
        (["s1", "s2", "s3"], ["s0", "s1", "s2"]),
        (["1_1", "1_2"], ["1_0", "1_1"]),
        (["²", "³"], ["1", "2"]),
        ([], FROM_ZERO),
    ],
)
def test_names_that_are_missing_or_further_are_no_shift(names, cases):
    refuse_shifted("meta.csv", names, cases)


def _value(case):
    return int(case.removeprefix("case_"))


def test_names_of_people_begin_those_of_their_cases():
    cases = ["sub-01_ses-1", "sub-01_ses-2", "sub-010_ses-1", "x"]
    owners = {"sub-01_ses-1": "sub-01", "sub-01_ses-2": "sub-01", "sub-010_ses-1": "sub-010"}
    assert match_starts(["sub-01", "sub-010"], cases) == owners
    assert match_starts(["1", "10"], cases) == {
        case: {"sub-01": "1", "sub-010": "10"}[owner] for case, owner in owners.items()
    }


def test_many_names_are_three_and_their_number():
    assert some("ba") == "a, b"
    assert some("edcba") == "a, b, c, … (5)"
    assert some([]) == "none"
