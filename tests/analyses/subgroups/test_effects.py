import pytest
from voxbench.analyses.pairing import twins
from voxbench.analyses.read import read_groups
from voxbench.analyses.subgroups.effects import subgroup_effects
from voxbench.stats.metric import METRICS

from tests.analyses.records import MASKED, SCRATCH, cases, record


def pair(gain=lambda i: 0.1, patients=23):
    records = [
        record(cases(lambda i, c, s=side: 0.5 + 0.001 * i + s * gain(i), patients), arm)
        for side, arm in ((0, SCRATCH), (1, MASKED))
    ]
    [found] = twins(read_groups(records), METRICS["dice"])
    return found


def split(found, values, margin=0.01):
    return subgroup_effects([found], {"openkbp": values}, margin)


def sites(patients=23):
    """Ten patients of site A, ten of B, three of C."""
    return {f"p{i:03}": "ABC"[i // 10] for i in range(patients)}


def test_a_gain_at_one_site_is_found_there_and_the_sites_differ():
    rows, [contrast] = split(pair(lambda i: 0.1 if i < 10 else 0.0), sites())
    assert [(row.group, row.patients, row.verdict) for row in rows] == [
        ("A", 10, "better"), ("B", 10, "equivalent"), ("C", 3, ""),
    ]  # fmt: skip
    assert rows[0].effect.mean == pytest.approx(0.1)
    assert rows[2].note == "fewer than 5 patients: not tested"
    assert (contrast.group, contrast.against) == ("A", "B")
    assert contrast.difference.mean == pytest.approx(0.1)
    assert contrast.p < 0.001


def test_equal_gains_do_not_differ_between_sites():
    _, [contrast] = split(pair(lambda i: 0.1 + 0.01 * (i % 3)), sites())
    assert contrast.p > 0.05
    assert contrast.difference.low < 0 < contrast.difference.high


def test_luck_of_a_run_cancels_between_groups():
    records = [
        record(cases(lambda i, c, e=e: 0.5 + e + 0.002 * (i % 4) * (e != 0), 20), arm, seed=seed)
        for arm, luck in ((SCRATCH, (0.0, 0.0, 0.0)), (MASKED, (0.05, 0.2, 0.35)))
        for seed, e in enumerate(luck)
    ]
    [found] = twins(read_groups(records), METRICS["dice"])
    rows, [contrast] = split(found, sites(20))
    assert rows[0].effect.high - rows[0].effect.low > 0.4
    assert contrast.difference.high - contrast.difference.low < 0.01


def test_the_family_is_the_groups_of_all_pairs():
    once, _ = split(pair(), sites())
    twice, _ = subgroup_effects([pair(), pair()], {"openkbp": sites()}, 0.01)
    assert once[0].p_adjusted == pytest.approx(2 * once[0].p)
    assert twice[0].p_adjusted == pytest.approx(4 * once[0].p)


def test_patients_without_an_entry_are_a_group_of_their_own():
    rows, contrasts = split(pair(), dict(list(sites().items())[:10]))
    assert [(row.group, row.patients) for row in rows] == [("A", 10), ("", 13)]
    assert (rows[1].note, rows[1].verdict) == ("no entry in the table: not tested", "")
    assert contrasts == []


def test_groups_of_numbers_are_in_their_order():
    ages = {f"p{i:03}": str(60 + 5 * i) for i in range(24)}
    rows, contrasts = split(pair(patients=24), ages)
    assert [row.group.partition(" ")[0] for row in rows] == ["60", "98.3333", "136.667"]
    assert len(contrasts) == 3
