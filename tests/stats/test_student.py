import numpy as np
import pytest
from scipy import special, stats
from voxbench.stats.student import Spread, spread


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
    alone = spread(values.mean(axis=2, keepdims=True), (0,)).reach(0, 0.025)
    assert spread(values, (0, 0)).reach(0, 0.025) == pytest.approx(alone / 2)


@pytest.mark.parametrize(("runs", "least", "most"), [(2, 93, 98.5), (3, 94, 98), (5, 94.5, 97.5)])
@pytest.mark.parametrize("patients", [10, 100])
def test_intervals_hold_the_truth_whatever_varies(runs, least, most, patients):
    rng = np.random.default_rng(0)
    freedom = np.array([patients - 1, runs - 1, (patients - 1) * (runs - 1)])
    for parts in [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 0), (1, 1, 1)]:
        people, luck, noise = parts
        means = np.array([people + noise, luck + noise, noise])
        drawn = means * rng.chisquare(freedom, (1000, 3)) / freedom
        held = [
            special.erf(one.reach(0, 0.025) / np.sqrt(2 * sum(parts)))
            for one in (Spread(*np.array([[p], [freedom[0]], [r], [freedom[1]], [n]]))
                        for p, r, n in drawn)
        ]  # fmt: skip
        assert least <= 100 * np.mean(held) <= most, parts


@pytest.mark.parametrize("luck", [0.0, 0.1, 0.3])
def test_two_equal_arms_are_apart_in_less_than_5_percent(luck):
    rng = np.random.default_rng(1)
    apart = 0
    for _ in range(1000):
        values = rng.normal(0, 1, (1, 50, 3)) + rng.normal(0, luck, 3) + rng.normal(0, 1, (50, 1))
        apart += abs(values.mean()) > spread(values, (0, 0, 0)).reach(0, 0.025)
    assert apart / 1000 < 0.06
