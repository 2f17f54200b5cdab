import math

import numpy as np
import pytest
from scipy import stats
from voxbench.analyses.effects import effects, overall
from voxbench.analyses.means import means
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
    assert found.p < 1e-9
    assert found.p_patients == pytest.approx(2 / 2**12)


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


def uneven(gain, seed=0, luck=0.0, runs=3, patients=30, **options):
    """Arms whose difference varies with patients and, by luck, with runs."""
    rng = np.random.default_rng(seed)
    own, shared = rng.normal(gain, 0.05, patients), rng.normal(0, luck, runs)
    return [
        record(
            cases(lambda i, c, run=run, on=on: 0.5 + on * (own[i] + shared[run]), patients),
            arm,
            seed=run,
            **options,
        )
        for on, arm in ((0, SCRATCH), (1, MASKED))
        for run in range(runs)
    ]


def test_the_family_is_all_rows_and_intervals_hold_for_all_of_it():
    one, two = effect_of(uneven(0.02) + uneven(0.02, fraction="10 shots"))
    assert (one.p_adjusted, two.p_adjusted) == pytest.approx((2 * one.p, 2 * two.p))
    [lonely] = effect_of(uneven(0.02))
    assert lonely.effect == lonely.alone == one.alone
    assert one.effect.low < one.alone.low < one.alone.high < one.effect.high


def test_the_verdict_has_the_sign_of_the_mean_also_where_ranks_point_the_other_way():
    gains = np.where(np.arange(60) < 9, 0.25, -0.015) + 0.001 * np.sin(np.arange(60))
    records = [
        record(cases(lambda i, c, on=on: 0.5 + on * gains[i], 60), arm, seed=seed)
        for on, arm in ((0, SCRATCH), (1, MASKED))
        for seed in range(3)
    ]
    [found] = effect_of(records)
    assert found.effect.mean == pytest.approx(gains.mean())
    assert found.p_patients < 0.05  # fifty-one of sixty patients lose
    assert found.p == pytest.approx(stats.ttest_1samp(gains, 0).pvalue, rel=0.7)
    assert found.verdict == ("better" if found.effect.low > 0 else "undecided")


def test_luck_of_seeds_is_in_p_and_not_in_wilcoxons():
    [found] = effect_of(uneven(0.0, luck=0.1, seed=1))
    assert found.p_patients < 0.01
    assert found.p > 0.05
    assert found.verdict == "undecided"


def test_each_row_says_what_its_p_covers():
    drawn = [r for draw in (0, 1) for r in uneven(0.02, seed=draw, runs=2, draw=draw)]
    for records, covers in (
        (uneven(0.02), "patients, seeds"),
        (uneven(0.02, runs=1), "patients only"),
        (drawn, "patients, draws"),
    ):
        [found] = effect_of(records)
        assert found.covers == covers


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
    records += arms(0.01, task="three")
    [row] = overall(twins(read_groups(records), DICE))
    low, high = stats.t.interval(0.95, 2, 0.03, stats.sem([0.06, 0.02, 0.01]))
    assert (row.tasks, row.note) == (3, "")
    assert row.effect == pytest.approx((0.03, low, high))


def test_two_tasks_have_a_mean_and_say_why_no_interval():
    records = arms(0.06, patients=30, task="one") + arms(0.02, patients=8, task="two")
    [row] = overall(twins(read_groups(records), DICE))
    assert row.effect.mean == pytest.approx(0.04)
    assert np.isnan(row.effect[1:]).all()
    assert row.note == "no interval over fewer than 3 tasks"


def test_tasks_of_other_recipes_are_not_averaged():
    records = arms(0.06, task="one") + arms(0.02, task="two", cell={"recipe": {"steps": 9}})
    assert overall(twins(read_groups(records), DICE)) == []


def test_a_dirty_commit_several_commits_and_one_draw_are_notes_of_the_row():
    records = arms(0.05)
    for item, commit in zip(records, ["a1", "a1", "a1", "a1", "a1", "b2-dirty"], strict=True):
        item.environment["commit"] = commit
    [found] = effect_of(records)
    assert found.note == f"1 draw of the labels; dirty commit ({MASKED}); 2 commits ({MASKED})"
    [_, mean] = means(read_groups(records))
    assert mean.note == "dirty commit; 2 commits"


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


def lucky(arms, draws=False, seed=0, patients=20, **options):
    """Equal arms against one twin, each with luck of its own in each of three runs."""
    rng = np.random.default_rng(seed)
    made = []
    for arm in (SCRATCH, *(f"{MASKED}-{number}" for number in range(arms))):
        for run in range(3):
            luck, own = rng.normal(0, 0.01), rng.normal(0, 0.005, patients)
            found = cases(lambda i, c, luck=luck, own=own: 0.5 + luck + own[i], patients)
            runs = {"draw": run} if draws else {"seed": run}
            made.append(record(found, arm, **runs, **options))
    return made


def test_arms_on_one_task_know_of_each_others_seeds():
    alone = [effect_of(lucky(9)[:3] + lucky(9)[start : start + 3])[0] for start in range(3, 30, 3)]
    together = effect_of(lucky(9))
    assert [row.effect.mean for row in together] == [row.effect.mean for row in alone]
    widths = [[row.alone.high - row.alone.low for row in rows] for rows in (alone, together)]
    assert np.mean(widths[1]) < 0.7 * np.mean(widths[0])
    assert np.std(widths[1]) < np.std(widths[0])


def test_arms_on_other_tasks_know_nothing_of_them():
    [alone] = effect_of(lucky(1))
    found = effect_of(lucky(1) + [one for n in range(3) for one in lucky(1, seed=n, task=f"t{n}")])
    assert found[0].alone == alone.alone


def test_draws_of_the_labels_are_shared_by_the_arms_and_not_moderated():
    records = lucky(9, draws=True)
    [alone] = effect_of(records[:6])
    assert effect_of(records)[0].alone == alone.alone
