import numpy as np
import pytest
from scipy import special, stats
from voxbench.stats.student import Spread, spread


def test_with_one_run_it_is_students_interval():
    values = np.random.default_rng(0).normal(size=9)
    low, high = stats.t.interval(0.95, 8, values.mean(), stats.sem(values))
    assert 2 * spread(values[None, :, None], (0,)).reach(0.025) == pytest.approx(high - low)


def test_luck_alone_has_the_freedom_of_the_runs():
    values = np.tile([0.0, 1.0, 2.0], (1, 40, 1))
    low, high = stats.t.interval(0.95, 2, 1.0, stats.sem([0, 1, 2]))
    assert 2 * spread(values, (0, 0, 0)).reach(0.025) == pytest.approx(high - low)


def test_seeds_of_a_draw_are_no_draws():
    values = np.tile([0.0, 0, 1, 1], (1, 40, 1))
    found = spread(values, (0, 0, 1, 1))
    assert (found.runs[0], found.runs_freedom[0]) == pytest.approx((0.25, 1))


def test_undefined_values_are_left_out():
    values = np.random.default_rng(0).normal(size=(1, 9, 2))
    with_gap = np.concatenate([values, np.full((1, 1, 2), np.nan)], axis=1)
    assert np.concatenate(spread(with_gap, (0, 0))) == pytest.approx(
        np.concatenate(spread(values, (0, 0)))
    )


def test_equal_values_leave_no_doubt():
    assert spread(np.ones((1, 5, 3)), (0, 0, 0)).reach(0.025) == 0


def test_noise_of_single_trainings_is_counted_once():
    rng = np.random.default_rng(0)
    found = spread(rng.normal(size=(400, 20, 3)), (0, 0, 0))
    assert found.noise.mean() == pytest.approx(1 / 60, rel=0.02)
    assert found.patients.mean() == pytest.approx(1 / 60, rel=0.02)
    assert found.runs.mean() == pytest.approx(1 / 60, rel=0.1)


def test_runs_that_agree_leave_half_of_the_patients_interval():
    patients = np.random.default_rng(0).normal(size=9)
    noise = np.array([1.0, -1.0]) * np.array([1, -1] * 4 + [0])[:, None]
    values = (patients[:, None] + 9 * noise)[None]  # both runs have one mean
    alone = spread(values.mean(axis=2, keepdims=True), (0,)).reach(0.025)
    assert spread(values, (0, 0)).reach(0.025) == pytest.approx(alone / 2)


@pytest.mark.parametrize(("runs", "least", "most"), [(2, 93, 98.5), (3, 94, 98), (5, 94.5, 97.5)])
@pytest.mark.parametrize("patients", [10, 100])
def test_intervals_hold_the_truth_whatever_varies(runs, least, most, patients):
    rng = np.random.default_rng(0)
    freedom = np.array([patients - 1, runs - 1, (patients - 1) * (runs - 1)])
    for parts in [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 0), (1, 1, 1)]:
        people, luck, noise = parts
        means = np.array([people + noise, luck + noise, noise])
        drawn = means * rng.chisquare(freedom, (1000, 3)) / freedom
        people, luck, noise = drawn.T
        known = Spread(people, np.full(1000, freedom[0]), luck, np.full(1000, freedom[1]), noise)
        held = special.erf(known.reach(0.025) / np.sqrt(2 * sum(parts)))
        assert least <= 100 * np.mean(held) <= most, parts


@pytest.mark.parametrize("luck", [0.0, 0.1, 0.3])
def test_two_equal_arms_are_apart_in_less_than_5_percent(luck):
    rng = np.random.default_rng(1)
    apart = 0
    for _ in range(1000):
        values = rng.normal(0, 1, (1, 50, 3)) + rng.normal(0, luck, 3) + rng.normal(0, 1, (50, 1))
        apart += abs(values.mean()) > spread(values, (0, 0, 0)).reach(0.025)
    assert apart / 1000 < 0.06


@pytest.mark.parametrize("tail", [0.025, 0.025 / 4, 0.025 / 30])
@pytest.mark.parametrize("luck", [0.0, 0.3, 1.0, 10.0])
def test_far_out_in_the_tails_runs_that_agree_are_not_trusted(tail, luck):
    rng = np.random.default_rng(2)
    n = 200_000
    people, runs = rng.chisquare(99, n) / 99, luck * rng.chisquare(2, n) / 2
    known = Spread(people, np.full(n, 99.0), runs, np.full(n, 2.0), np.zeros(n))
    beyond = np.abs(rng.normal(0, np.sqrt(1 + luck), n)) > known.reach(tail)
    assert beyond.mean() <= 2 * tail * 1.15


def test_p_is_the_tail_at_which_the_interval_just_reaches():
    values = np.random.default_rng(3).normal(size=(5, 12, 3)) + np.arange(5)[:, None, None] / 3
    known = spread(values, (0, 0, 0))
    distance = np.abs(values.mean(axis=(1, 2)))
    assert known.reach(known.p(distance) / 2) == pytest.approx(distance)
    one_run = spread(values[:, :, :1], (0,))
    expected = stats.ttest_1samp(values[:, :, 0], 0, axis=1).pvalue
    assert one_run.p(np.abs(values[:, :, 0].mean(axis=1))) == pytest.approx(expected)


def test_no_distance_is_p_1_and_an_undefined_one_has_no_p():
    known = spread(np.random.default_rng(0).normal(size=(2, 6, 3)), (0, 0, 0))
    assert known.p(np.array([0.0, np.nan])) == pytest.approx([1.0, np.nan], nan_ok=True)
