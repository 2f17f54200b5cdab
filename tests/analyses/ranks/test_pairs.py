import numpy as np
import pytest
from scipy import stats
from voxbench.analyses.ranks.league import league
from voxbench.stats.bootstrap import Sample, bootstrap
from voxbench.stats.paired import wilcoxon

from tests.analyses.ranks.boards import board, noisy

NAN = float("nan")


def test_a_pair_is_what_it_would_be_alone():
    scores = noisy(0.5, 0.52, 0.6)
    rows = {(row.arm, row.other): row for row in league(board(scores), 0.01).pairs}
    assert set(rows) == {("a", "b"), ("a", "c"), ("b", "c")}
    for (one, other), row in rows.items():
        difference = scores["abc".index(one)] - scores["abc".index(other)]
        alone = bootstrap(Sample(difference[:, None], (0,)))
        assert row.alone == pytest.approx(alone)
        assert row.p_patients == pytest.approx(wilcoxon(difference))
        assert row.p == pytest.approx(stats.ttest_1samp(difference, 0).pvalue, abs=0.02)
        assert row.p_flip == pytest.approx(row.p, abs=0.02)


def test_the_family_is_all_pairs():
    rows = league(board(noisy(0.5, 0.52, 0.53)), 0.01).pairs
    assert [row.p_adjusted for row in rows] == pytest.approx([min(1, 3 * row.p) for row in rows])
    assert all(row.p <= row.p_bh <= row.p_adjusted + 1e-12 for row in rows)
    assert all(row.effect.low < row.alone.low for row in rows)


def test_gaps_are_left_out_pair_by_pair():
    scores = noisy(0.5, 0.52, 0.6)
    scores[0, :5] = NAN
    rows = {(row.arm, row.other): row for row in league(board(scores), 0.01).pairs}
    assert [rows[pair].patients for pair in (("a", "b"), ("b", "c"))] == [35, 40]
    assert rows["b", "c"].effect.mean == pytest.approx((scores[1] - scores[2]).mean())
    assert rows["a", "b"].effect.mean == pytest.approx((scores[0] - scores[1])[5:].mean())
    assert rows["a", "b"].p_flip == pytest.approx(rows["a", "b"].p, abs=0.05)


def test_each_task_counts_once():
    large, small = noisy(0.5, 0.6, patients=60), noisy(0.7, 0.7, patients=6, seed=1)
    [row] = league(board(large, small), 0.01).pairs
    means = [(task[0] - task[1]).mean() for task in (large, small)]
    assert row.effect.mean == pytest.approx(np.mean(means))
    assert row.patients == 66


def test_an_arm_without_any_score_has_rows_without_a_verdict():
    [row] = league(board(np.array([[0.5, 0.6, 0.7], [NAN, NAN, NAN]])), 0.01).pairs
    assert (row.patients, row.verdict) == (0, "")
    assert np.isnan([*row.effect, row.p, row.p_flip, row.p_adjusted]).all()


def test_a_shorter_distance_is_better():
    [row] = league(board(10 * noisy(0.5, 0.9), metric="hd95_mm"), 0.01).pairs
    assert row.effect.mean < 0
    assert row.verdict == "better"


def test_the_arms_of_a_task_know_of_each_others_seeds():
    rng = np.random.default_rng(0)
    scores = 0.5 + rng.normal(0, 0.01, (8, 1, 3)) + rng.normal(0, 0.002, (8, 30, 3))
    rows = league(board(scores), 0.01).pairs
    alone = [
        bootstrap(
            Sample(
                scores["abcdefgh".index(row.arm)] - scores["abcdefgh".index(row.other)], (0,) * 3
            )
        )
        for row in rows
    ]
    narrower = [own.high - own.low for own in alone]
    assert np.mean([row.alone.high - row.alone.low for row in rows]) < 0.7 * np.mean(narrower)
    assert sum(row.effect.low > 0 or row.effect.high < 0 for row in rows) == 0
