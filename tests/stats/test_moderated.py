import numpy as np
import pytest
from scipy import optimize, special, stats
from voxbench.stats.moderated import Luck, moderated, moderated_luck
from voxbench.stats.student import Spread

NAN = float("nan")


def normal(arms, runs, seed=0):
    return np.random.default_rng(seed).normal(size=(arms, runs))


def test_arms_that_are_alike_lend_each_other_freedom():
    found = moderated_luck(normal(40, 3))
    assert found.freedom.min() > 4  # 2 are an arm's own
    assert found.variance.min() > 0.4  # of 1, where some arms' own are next to nothing


def test_it_shrinks_as_its_source_says():
    means = normal(5, 3)
    own = means.var(axis=1, ddof=1)
    logs = np.log(own) - special.psi(1)
    chance, peaked = np.pi**2 / 6, stats.loggamma(1).stats("k")
    excess = logs.var(ddof=1) - chance + chance * np.sqrt(2 / 4 + peaked / 5)
    lent = optimize.brentq(lambda d: special.polygamma(1, d / 2) - excess, 0.01, 1e4)
    shrunk = (lent * np.exp(logs.mean()) + 2 * own) / (lent + 2)
    found = moderated_luck(means)
    assert found.variance == pytest.approx(np.maximum(shrunk, own))
    assert found.freedom == pytest.approx(lent + 2)


def test_the_freedom_lent_is_that_from_which_many_variances_were_drawn():
    means = normal(50_000, 3) * np.sqrt(4 / np.random.default_rng(1).chisquare(4, (50_000, 1)))
    assert moderated_luck(means).freedom[0] == pytest.approx(4 + 2, rel=0.02)


def test_no_arm_is_calmer_than_its_own_runs_show():
    means = normal(8, 3) * np.array([20, *[1] * 7])[:, None]
    assert (moderated_luck(means).variance >= means.var(axis=1, ddof=1) - 1e-12).all()


def test_one_wild_arm_takes_little_from_the_others():
    means = normal(10, 5) * np.array([1000, *[1] * 9])[:, None]
    assert np.median(moderated_luck(means).variance) < 3


def test_two_arms_have_nothing_to_learn_from_each_other():
    means = normal(3, 3)
    means[2, 1:] = NAN  # a single run shows no variance
    assert np.isnan(moderated_luck(means).variance).all()


def test_an_arm_with_a_single_run_takes_nothing_from_the_others():
    means = normal(6, 3)
    more = np.concatenate([means, [[7.0, NAN, NAN]]])
    assert moderated_luck(more).variance[:6] == pytest.approx(moderated_luck(means).variance)
    assert np.isnan(moderated_luck(more).variance[6])


def test_arms_whose_runs_all_agree_leave_no_doubt():
    assert (moderated_luck(np.ones((4, 3))).variance == 0).all()


def test_a_comparison_has_the_luck_of_both_arms_and_the_lesser_freedom():
    known = Spread(*(np.array([value, value]) for value in (1.0, 9.0, 5.0, 2.0, 0.0)))
    luck = Luck(np.array([0.3, 0.6, NAN]), np.array([8.0, 6.0, NAN]))
    found = moderated(known, luck, [(1, 0), (2, 0)], np.array([3, 3]))
    assert (found.runs.tolist(), found.runs_freedom.tolist()) == ([pytest.approx(0.3), 5], [6, 2])
    assert found.patients is known.patients


def test_a_single_run_of_both_stays_without_the_luck_of_seeds():
    known = Spread(*(np.array([value]) for value in (1.0, 9.0, 0.0, 1.0, 0.0)))
    luck = Luck(np.array([0.3, 0.6]), np.array([8.0, 6.0]))
    assert moderated(known, luck, [(1, 0)], np.array([1])).runs == [0.0]
