import numpy as np
import pytest
from scipy import stats
from voxbench.analyses.effects import twins
from voxbench.analyses.groups import read_groups
from voxbench.errors import SpecError
from voxbench.stats.case_table import column_of, labels, read_table
from voxbench.stats.metric import METRICS
from voxbench.stats.subgroups import subgroups

from tests.analyses.records import MASKED, SCRATCH, cases, record


def pair(gain=lambda i: 0.1, patients=23):
    records = [
        record(cases(lambda i, c, s=side: 0.5 + 0.001 * i + s * gain(i), patients), arm)
        for side, arm in ((0, SCRATCH), (1, MASKED))
    ]
    [found] = twins(read_groups(records), METRICS["dice"])
    return found


def split(found, values, margin=0.01):
    return subgroups([found], {"openkbp": values}, margin)


def table(tmp_path, *lines):
    path = tmp_path / "cases.csv"
    path.write_text("\n".join(lines))
    return path


def sites(patients=23):
    """Ten patients of site A, ten of B, three of C."""
    return {f"p{i:03}": "ABC"[i // 10] for i in range(patients)}


def test_a_gain_at_one_site_is_found_there_and_the_sites_differ():
    rows, [contrast] = split(pair(lambda i: 0.1 if i < 10 else 0.0), sites())
    assert [(row.group, row.patients, row.verdict) for row in rows] == [
        ("A", 10, "better"), ("B", 10, "equivalent"), ("C", 3, ""),
    ]  # fmt: skip
    assert rows[0].effect == pytest.approx(0.1)
    assert rows[2].note == "fewer than 5 patients: not tested"
    assert (contrast.group, contrast.against) == ("A", "B")
    assert contrast.difference == pytest.approx(0.1)
    assert contrast.p < 0.001


def test_equal_gains_do_not_differ_between_sites():
    _, [contrast] = split(pair(lambda i: 0.1 + 0.01 * (i % 3)), sites())
    assert contrast.p > 0.05
    assert contrast.low < 0 < contrast.high


def test_the_interval_between_groups_is_welchs_with_one_run():
    rng = np.random.default_rng(0)
    gains = np.concatenate([rng.normal(0.1, 0.05, 10), rng.normal(0.0, 0.01, 10)])
    _, [contrast] = split(pair(lambda i: gains[i], patients=20), sites(20))
    welch = stats.ttest_ind(gains[:10], gains[10:], equal_var=False).confidence_interval()
    assert (contrast.low, contrast.high) == pytest.approx(tuple(welch))


def test_luck_of_a_run_cancels_between_groups():
    records = [
        record(cases(lambda i, c, e=e: 0.5 + e + 0.002 * (i % 4) * (e != 0), 20), arm, seed=seed)
        for arm, luck in ((SCRATCH, (0.0, 0.0, 0.0)), (MASKED, (0.05, 0.2, 0.35)))
        for seed, e in enumerate(luck)
    ]
    [found] = twins(read_groups(records), METRICS["dice"])
    rows, [contrast] = split(found, sites(20))
    assert rows[0].high - rows[0].low > 0.4
    assert contrast.high - contrast.low < 0.01


def test_holm_is_over_the_groups_of_all_pairs():
    once, _ = split(pair(), sites())
    twice, _ = subgroups([pair(), pair()], {"openkbp": sites()}, 0.01)
    assert once[0].p_holm == pytest.approx(2 * once[0].p)
    assert twice[0].p_holm == pytest.approx(4 * once[0].p)


def test_patients_without_an_entry_are_a_group_of_their_own():
    rows, contrasts = split(pair(), dict(list(sites().items())[:10]))
    assert [(row.group, row.patients) for row in rows] == [("A", 10), ("", 13)]
    assert (rows[1].note, rows[1].verdict) == ("no entry in the table: not tested", "")
    assert contrasts == []


def test_many_numbers_are_cut_into_thirds():
    found = labels([str(age) for age in range(30, 60)] + [""])
    assert [found.count(name) for name in dict.fromkeys(found)] == [10, 10, 10, 1]
    assert found[0].startswith("30 to ")


def test_few_numbers_are_categories():
    assert labels(["1.5", "3", "3", "1.5"]) == ["1.5", "3", "3", "1.5"]


def test_groups_of_numbers_are_in_their_order():
    ages = {f"p{i:03}": str(60 + 5 * i) for i in range(24)}
    rows, contrasts = split(pair(patients=24), ages)
    assert [row.group.partition(" ")[0] for row in rows] == ["60", "98.3333", "136.667"]
    assert len(contrasts) == 3


def test_a_column_is_read_by_patient_or_by_case():
    rows = {"p1": {"site": "A"}, "scan7": {"site": "B"}, "scan8": {"site": "B"}}
    assert column_of(rows, "site", {"scan7": "p2", "scan8": "p2"}) == {"p1": "A", "p2": "B"}
    with pytest.raises(SpecError, match="one group only"):
        column_of({**rows, "scan8": {"site": "C"}}, "site", {"scan7": "p2", "scan8": "p2"})


def test_an_unknown_column_gets_the_nearest_name():
    with pytest.raises(SpecError, match="Did you mean 'site'"):
        column_of({"p1": {"site": "A"}}, "sites", {})


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
