import math

import pytest
from voxbench.analyses.effects import effects, means, overall
from voxbench.analyses.pairing import pair_arms, twins
from voxbench.analyses.read import read_groups
from voxbench.stats.metric import METRICS

from tests.analyses.records import MASKED, SCRATCH, cases, record

DICE = METRICS["dice"]


def arms(gain=0.05, patients=12, seeds=3, **options):
    """Scratch at 0.50, 0.51, … by patient, and an arm that is better by `gain` for each."""
    return [
        record(
            cases(lambda i, c, extra=extra: 0.5 + 0.01 * i + extra, patients),
            arm,
            seed=seed,
            **options,
        )
        for arm, extra in ((SCRATCH, 0.0), (MASKED, gain))
        for seed in range(seeds)
    ]


def effect_of(records, margin=0.01):
    return effects(twins(read_groups(records), DICE), margin)


def test_a_constant_gain_is_found_exactly():
    [found] = effect_of(arms(0.05))
    assert found.effect == pytest.approx((0.05, 0.05, 0.05))
    assert found.arm_mean - found.other_mean == pytest.approx(found.effect.mean)
    assert (found.patients, found.runs, found.verdict) == (12, 3, "better")
    assert found.p == pytest.approx(2 / 2**12)


def test_a_constant_loss_is_worse():
    assert effect_of(arms(-0.05))[0].verdict == "worse"


def test_equal_arms_are_equivalent_with_p_1():
    [found] = effect_of(arms(0.0))
    assert (found.effect.mean, found.p, found.verdict) == (0.0, 1.0, "equivalent")


def test_few_patients_stay_undecided_and_the_row_says_why():
    [found] = effect_of(arms(0.05, patients=5))
    assert found.verdict == "undecided"
    assert "fewer than 6 patients" in found.note


def test_one_seed_is_said():
    [found] = effect_of(arms(seeds=1))
    assert "1 run" in found.note


def test_two_scans_of_a_patient_count_as_one_patient():
    records = arms(0.05)
    for item in records:
        for case in list(item.cases):
            item.cases.append(case.model_copy(update={"case": case.case + "b"}))
    assert effect_of(records) == effect_of(arms(0.05))


def test_only_runs_that_both_have_are_compared():
    records = arms(0.05)[:-1]  # the arm's last seed is missing
    [found] = effect_of(records)
    assert found.runs == 2
    assert "1 run without a counterpart" in found.note


def test_only_patients_that_both_have_are_compared():
    records = arms(0.05)
    for item in records[:3]:
        del item.cases[-2:]
    [found] = effect_of(records)
    assert found.patients == 10
    assert found.effect.mean == pytest.approx(0.05)


def test_a_missing_twin_is_a_row_with_a_reason():
    [found] = effect_of(arms()[3:])
    assert (found.patients, found.verdict) == (0, "")
    assert math.isnan(found.effect.mean)
    assert found.note == f"no record of {SCRATCH}"


def test_a_failed_arm_is_a_row_with_a_reason():
    [found] = effect_of([*arms()[:3], record(None, MASKED)])
    assert found.note == f"no finished cell of {MASKED}"
    assert found.failed == 1


def test_an_arm_is_not_compared_with_a_twin_of_another_recipe():
    records = arms()[:3] + arms(cell={"recipe": {"steps": 9}})[3:]
    [found] = effect_of(records)
    assert found.note == f"no record of {SCRATCH}"


def test_holm_counts_all_rows():
    records = arms(0.05) + arms(0.05, fraction="10 shots")
    assert [row.p_holm for row in effect_of(records)] == pytest.approx([2 * 2 / 2**12] * 2)


def test_a_shorter_distance_is_better():
    pairs = twins(read_groups(arms(0.05)), METRICS["hd95_mm"])
    [found] = effects(pairs, margin=0.1)
    assert found.effect.mean == pytest.approx(-0.5)
    assert found.verdict == "better"


def test_any_two_arms_can_be_compared_in_either_direction():
    groups = read_groups(arms(0.05))
    [there] = effects(pair_arms(groups, MASKED, SCRATCH, DICE), 0.01)
    [back] = effects(pair_arms(groups, SCRATCH, MASKED, DICE), 0.01)
    assert (there.verdict, back.verdict) == ("better", "worse")
    assert there.effect.mean == pytest.approx(-back.effect.mean)


def test_over_tasks_each_task_weighs_the_same():
    records = arms(0.06, patients=30, task="one") + arms(0.02, patients=8, task="two")
    [row] = overall(twins(read_groups(records), DICE))
    assert row.tasks == 2
    assert row.effect == pytest.approx((0.04, 0.02, 0.06))


def test_one_task_has_no_overall_row():
    assert overall(twins(read_groups(arms()), DICE)) == []


def test_means_keep_an_arm_that_failed():
    rows = means(read_groups([*arms()[:3], record(None, MASKED)]))
    assert [(row.arm, row.runs, row.failed) for row in rows] == [(SCRATCH, 3, 0), (MASKED, 0, 1)]
    assert math.isnan(rows[1].scores["dice"].mean)
    assert rows[0].scores["dice"].mean == pytest.approx(0.555)


def test_intervals_end_where_scores_do():
    scores = [0.0, 0.9, 0.95, 1.0, 1.0, 1.0]
    records = [record(cases(lambda i, c: scores[i], 6), SCRATCH)]
    records += [record(cases(lambda i, c: 1 - scores[i], 6), MASKED)]
    for mean in means(read_groups(records)):
        assert 0 <= mean.scores["dice"].low < mean.scores["dice"].high <= 1
    [found] = effect_of(records)
    assert -1 <= found.effect.low < found.effect.mean < found.effect.high
