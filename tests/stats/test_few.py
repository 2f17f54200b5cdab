import numpy as np
import pytest
from scipy import stats

from bench.stats.few import spread


def test_with_one_run_it_is_students_interval():
    values = np.random.default_rng(0).normal(size=9)
    low, high = stats.t.interval(0.95, 8, values.mean(), stats.sem(values))
    assert 2 * spread(values[None, :, None], (0,)).reach(0, 0.025) == pytest.approx(high - low)


def test_luck_alone_has_the_freedom_of_the_runs():
    values = np.tile([0.0, 1.0, 2.0], (1, 40, 1))
    low, high = stats.t.interval(0.95, 2, 1.0, stats.sem([0, 1, 2]))
    assert 2 * spread(values, (0, 0, 0)).reach(0, 0.025) == pytest.approx(high - low)


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
    assert spread(np.ones((1, 5, 3)), (0, 0, 0)).reach(0, 0.025) == 0


@pytest.mark.parametrize("luck", [0.0, 0.1, 0.3])
def test_two_equal_arms_are_apart_in_less_than_5_percent(luck):
    rng = np.random.default_rng(1)
    apart = 0
    for _ in range(2000):
        values = rng.normal(0, 1, (1, 50, 3)) + rng.normal(0, luck, 3) + rng.normal(0, 1, (50, 1))
        apart += abs(values.mean()) > spread(values, (0, 0, 0)).reach(0, 0.025)
    assert apart / 2000 < 0.05
