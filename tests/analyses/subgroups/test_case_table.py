import pytest
from voxbench.analyses.subgroups.case_table import group_labels, read_case_table, values_by_patient
from voxbench.errors import SpecError


def table(tmp_path, *lines):
    path = tmp_path / "cases.csv"
    path.write_text("\n".join(lines))
    return path


def test_many_numbers_are_cut_into_thirds():
    found = group_labels([str(age) for age in range(30, 60)] + [""])
    assert [found.count(name) for name in dict.fromkeys(found)] == [10, 10, 10, 1]
    assert found[0].startswith("30 to ")


def test_few_numbers_are_categories():
    assert group_labels(["1.5", "3", "3", "1.5"]) == ["1.5", "3", "3", "1.5"]


def test_a_column_is_read_by_patient_or_by_case():
    rows = {"p1": {"site": "A"}, "scan7": {"site": "B"}, "scan8": {"site": "B"}}
    assert values_by_patient(rows, "site", {"scan7": "p2", "scan8": "p2"}) == {"p1": "A", "p2": "B"}
    with pytest.raises(SpecError, match="one group only"):
        values_by_patient({**rows, "scan8": {"site": "C"}}, "site", {"scan7": "p2", "scan8": "p2"})


def test_an_unknown_column_gets_the_nearest_name():
    with pytest.raises(SpecError, match="Did you mean 'site'"):
        values_by_patient({"p1": {"site": "A"}}, "sites", {})


def test_a_table_is_read_by_patient(tmp_path):
    found = read_case_table(table(tmp_path, "case,age", "p1, 40", "p2,50"))
    assert found == {"p1": {"age": "40"}, "p2": {"age": "50"}}


@pytest.mark.parametrize(
    ("lines", "message"),
    [(("age", "4"), "no column 'patient' or 'case'"), (("case,age", "p,1", "p,2"), "two rows")],
)
def test_a_wrong_table_is_one_clear_line(tmp_path, lines, message):
    with pytest.raises(SpecError, match=message):
        read_case_table(table(tmp_path, *lines))
