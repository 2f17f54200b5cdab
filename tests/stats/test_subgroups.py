import pytest

from bench.errors import SpecError
from bench.stats.effects import twins
from bench.stats.frame import read_groups
from bench.stats.metric import METRICS
from bench.stats.subgroups import labels, read_table, subgroups
from tests.stats.records import MASKED, SCRATCH, cases, record


def pair(gain=lambda i: 0.1, patients=23):
    records = [
        record(cases(lambda i, c, s=side: 0.5 + 0.001 * i + s * gain(i), patients), arm)
        for side, arm in ((0, SCRATCH), (1, MASKED))
    ]
    [found] = twins(read_groups(records), METRICS["dice"])
    return found


def table(tmp_path, *lines):
    path = tmp_path / "cases.csv"
    path.write_text("\n".join(lines))
    return path


def sites(patients=23):
    """Ten patients of site A, ten of B, three of C."""
    return {f"p{i:03}": {"site": "ABC"[i // 10]} for i in range(patients)}


def test_a_gain_at_one_site_is_found_there_and_the_sites_differ():
    rows = subgroups(pair(lambda i: 0.1 if i < 10 else 0.0), sites(), "site", 0.01)
    assert [(row.value, row.patients, row.verdict) for row in rows] == [
        ("A", 10, "better"), ("B", 10, "equivalent"), ("C", 3, ""),
    ]  # fmt: skip
    assert rows[0].effect == pytest.approx(0.1)
    assert rows[0].p_groups < 0.001
    assert rows[2].note == "fewer than 5 patients: not tested"


def test_equal_gains_do_not_differ_between_sites():
    assert subgroups(pair(), sites(), "site", 0.01)[0].p_groups > 0.05


def test_patients_without_an_entry_are_a_group_of_their_own():
    rows = subgroups(pair(), dict(list(sites().items())[:10]), "site", 0.01)
    assert [(row.value, row.patients) for row in rows] == [("", 13), ("A", 10)]


def test_many_numbers_are_cut_into_thirds():
    found = labels([str(age) for age in range(30, 60)] + [""])
    assert [found.count(name) for name in dict.fromkeys(found)] == [10, 10, 10, 1]
    assert found[0].startswith("30 to ")


def test_few_numbers_are_categories():
    assert labels(["1.5", "3", "3", "1.5"]) == ["1.5", "3", "3", "1.5"]


def test_an_unknown_column_gets_the_nearest_name():
    with pytest.raises(SpecError, match="Did you mean 'site'"):
        subgroups(pair(), sites(), "sites", 0.01)


def test_a_table_is_read_by_patient(tmp_path):
    found = read_table(table(tmp_path, "case,age", "p1, 40", "p2,50"))
    assert found == {"p1": {"age": "40"}, "p2": {"age": "50"}}


@pytest.mark.parametrize(
    ("lines", "message"),
    [(("age", "4"), "no column 'patient' or 'case'"), (("case,age", "p,1", "p,2"), "two rows")],
)
def test_a_wrong_table_is_one_clear_line(tmp_path, lines, message):
    with pytest.raises(SpecError, match=message):
        read_table(table(tmp_path, *lines))
