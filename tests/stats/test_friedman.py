import numpy as np
import pytest
from scipy import stats
from voxbench.stats.friedman import friedman

from tests.analyses.ranks.boards import noisy

SCORES = noisy(0.5, 0.51, 0.6, 0.61, noise=0.05).T


def test_it_is_scipys_test():
    found = friedman(SCORES)
    theirs = stats.friedmanchisquare(*SCORES.T)
    assert (found.statistic, found.p) == pytest.approx(tuple(theirs))
    assert found.blocks == 40


def test_the_critical_difference_of_demsar():
    # table 5 of Demšar 2006: q = 2.569 for 4 classifiers; 14 data sets give 1.25
    found = friedman(SCORES[:14])
    assert found.critical == pytest.approx(2.569 * np.sqrt(4 * 5 / (6 * 14)), abs=2e-3)
    assert found.critical == pytest.approx(1.25, abs=0.01)


def test_arms_within_the_critical_difference_form_a_group():
    found = friedman(SCORES)
    assert [sorted(group) for group in found.groups] == [[2, 3], [0, 1]]


def test_at_the_critical_difference_p_is_5_percent():
    found = friedman(SCORES)
    unit = np.sqrt(4 * 5 / (12 * 40))
    assert stats.studentized_range.sf(found.critical / unit, 4, np.inf) == pytest.approx(0.05)


def test_the_smallest_distance_has_rank_1():
    assert friedman(SCORES, sign=-1).ranks == pytest.approx(5 - friedman(SCORES).ranks)


def test_blocks_with_a_gap_are_left_out_and_counted():
    scores = SCORES.copy()
    scores[0, 1] = np.nan
    assert friedman(scores)[:2] == (39, 1)


def test_arms_that_are_all_equal_have_p_1():
    found = friedman(np.full((10, 3), 0.5))
    assert (found.p, found.groups) == (1.0, [[0, 1, 2]])


def test_two_arms_or_one_block_are_too_few():
    assert friedman(SCORES[:, :2]) is None
    assert friedman(SCORES[:1]) is None
