"""Whether names of cases look as if several were of one person."""

import pytest
from voxbench.data.grouping import describe_groups, find_groups


def named(*patterns):
    """Names by patterns such as `case_{:03}_ED`, of people 1, 2, 3 …, as many for each."""
    return [pattern.format(person) for person in range(1, 7) for pattern in patterns]


@pytest.mark.parametrize(
    ("patterns", "first"),
    [
        (["case_{:03}_ED", "case_{:03}_ES"], "case_001"),
        (["patient{:03}_frame01", "patient{:03}_frame12"], "patient001"),
        (["patient{:03}frame01", "patient{:03}frame12"], "patient001"),
        (["sub-{:02}_ses-1", "sub-{:02}_ses-2"], "sub-01"),
        (["sub-{:02}_ses-1_T1w", "sub-{:02}_ses-2_T1w"], "sub-01"),
        (["site_sub-{:02}_run-1", "site_sub-{:02}_run-2"], "site_sub-01"),
        (["BraTS-GLI-{:05}-000", "BraTS-GLI-{:05}-001"], "BraTS-GLI-00001"),
        (["LIDC_{:04}_1", "LIDC_{:04}_2", "LIDC_{:04}_3"], "LIDC_0001"),
        (["p{:02}v1", "p{:02}v2"], "p01"),
        (["{:03}a", "{:03}b"], "001"),
        (["knee {} left", "knee {} right"], "knee 1"),
        (["p{:03}_20240131", "p{:03}_20240301"], "p001"),
        (["Pätient_{}_früh", "Pätient_{}_spät"], "Pätient_1"),
        (["1.2.840.{}.1", "1.2.840.{}.2"], "1.2.840.1"),
        (["site1_{:03}_visit_1", "site1_{:03}_visit_2"], "site1_001"),
        (["case_{:03}", "case_{:03}_2"], "case_001"),
    ],
)
def test_cases_of_one_prefix_look_grouped(patterns, first):
    cases = named(*patterns)
    groups = find_groups(cases)
    assert groups[cases[0]] == groups[cases[1]] == first
    assert len(set(groups.values())) == 6


@pytest.mark.parametrize(
    "patterns",
    [
        ["s{:04}"],
        ["liver_{}"],
        ["hippocampus_{:03}"],
        ["BraTS2021_{:05}"],
        ["BraTS-GLI-{:05}-000"],
        ["sub-{:02}_ses-1"],
        ["OAS1_{:04}_MR1"],
        ["0522c{:04}"],
        ["100{}"],
        ["volume-{}"],
        ["FLARE22_Tr_{:04}", "FLARE22_Ts_{:04}"],
    ],
)
def test_numbers_behind_one_word_are_no_groups(patterns):
    assert find_groups(named(*patterns)) == {}


def test_sites_with_many_cases_are_no_groups_but_the_visits_within_them_are():
    cases = [f"site{site}_{number:03}" for site in range(3) for number in range(40)]
    assert find_groups(cases) == {}
    visits = find_groups([f"{case}_{visit}" for case in cases for visit in (1, 2)])
    assert len(set(visits.values())) == len(cases)


def test_one_rescan_among_many_is_found():
    cases = [f"sub-{number:03}" for number in range(50)]
    groups = find_groups([*cases, "sub-007_rescan"])
    assert groups["sub-007_rescan"] == "sub-007"
    assert len(set(groups.values())) == 50


def test_groups_are_told_with_an_example():
    groups = find_groups(named("case_{:03}_ED", "case_{:03}_ES"))
    told = describe_groups(groups)
    assert told == "12 cases, 6 prefixes (as case_001 of case_001_ED, case_001_ES)"
    assert find_groups([]) == find_groups(["only"]) == {}
