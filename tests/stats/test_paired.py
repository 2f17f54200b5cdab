import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from voxbench.stats.interval import Interval
from voxbench.stats.paired import benjamini_hochberg, effect_verdict, holm, wilcoxon


def test_six_patients_that_all_improve_have_the_smallest_p_of_six():
    assert wilcoxon(np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])) == pytest.approx(2 / 2**6)


def test_five_patients_can_not_reach_five_percent():
    assert wilcoxon(np.array([0.1, 0.2, 0.3, 0.4, 0.5])) == pytest.approx(2 / 2**5)


def test_no_difference_at_all_is_p_1():
    assert wilcoxon(np.zeros(10)) == 1.0


def test_a_single_patient_is_p_1():
    assert wilcoxon(np.array([0.3])) == 1.0


def test_zeros_and_undefined_patients_are_left_out():
    some = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    with_others = np.concatenate([some, [0.0, np.nan, 0.0]])
    assert wilcoxon(with_others) == wilcoxon(some)


def test_without_a_patient_there_is_no_p():
    assert math.isnan(wilcoxon(np.array([np.nan, np.nan])))


def test_rounding_errors_neither_break_ties_nor_make_differences():
    exact = np.array([0.1, 0.1, 0.1, -0.1, -0.1, 0.2, 0.2])
    noise = np.array([1, -1, 2, -2, 1, 0, 3]) * 1e-16
    assert wilcoxon(exact + noise) == wilcoxon(exact)
    assert wilcoxon(noise) == 1.0


@given(st.lists(st.integers(-9, 9).filter(bool), min_size=1, max_size=9))
def test_tied_differences_by_counting_every_pattern_of_signs(values):
    ranks = stats.rankdata(np.abs(values))
    signs = np.array(list(itertools.product([0, 1], repeat=len(values))))
    sums = signs @ ranks
    ours = (np.array(values) > 0) @ ranks
    tail = min((sums <= ours).mean(), (sums >= ours).mean())
    assert wilcoxon(np.array(values, dtype=float)) == pytest.approx(min(1, 2 * tail))


@pytest.mark.parametrize("patients", [6, 13, 30, 50])
def test_without_ties_it_is_scipys_exact_test(patients):
    values = np.random.default_rng(patients).normal(0.1, 1, patients)
    assert wilcoxon(values) == pytest.approx(stats.wilcoxon(values, method="exact").pvalue)


def test_many_patients_get_the_normal_approximation():
    values = np.random.default_rng(0).normal(0.1, 1, 300).round(1)
    theirs = stats.wilcoxon(values[values != 0], method="approx", correction=False).pvalue
    assert wilcoxon(values) == pytest.approx(theirs)


def test_exact_and_normal_agree_where_they_meet():
    values = np.random.default_rng(1).normal(0.1, 1, 200)
    normal = stats.wilcoxon(values, method="approx", correction=False).pvalue
    assert wilcoxon(values) == pytest.approx(normal, rel=0.02)


def test_holm_by_hand():
    # sorted .005 .01 .03 .04 times 4 3 2 1 is .02 .03 .06 .04; the last is raised to .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_never_exceeds_1():
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_a_pairing_without_a_test_is_not_in_the_family():
    adjusted = holm([0.02, math.nan, 0.04])
    assert adjusted[0] == pytest.approx(0.04)
    assert math.isnan(adjusted[1])
    assert adjusted[2] == pytest.approx(0.04)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_keeps_the_order_and_only_raises(p):
    adjusted = holm(p)
    assert all(0 <= raw <= high <= 1 for raw, high in zip(p, adjusted, strict=True))
    for i in np.argsort(p)[1:]:
        below = [adjusted[j] for j in range(len(p)) if p[j] < p[i]]
        assert all(value <= adjusted[i] for value in below)


@pytest.mark.parametrize(
    ("low", "high", "patients", "word"),
    [
        (0.010, 0.030, 40, "better"),
        (-0.030, -0.010, 40, "worse"),
        (-0.001, 0.030, 40, "undecided"),
        (-0.009, 0.009, 40, "equivalent"),
        (0.001, 0.009, 40, "equivalent"),  # detectable, but too small to matter
        (-0.010, 0.009, 40, "undecided"),  # the margin itself is outside
        (0.100, 0.300, 5, "undecided"),
        (-0.001, 0.001, 5, "undecided"),
    ],
)
def test_verdicts(low, high, patients, word):
    effect = Interval((low + high) / 2, low, high)
    assert effect_verdict(effect, patients, margin=0.01) == word


def test_a_shorter_distance_is_better():
    assert effect_verdict(Interval(-3.0, -4.0, -2.0), 40, margin=1.0, sign=-1) == "better"
    assert effect_verdict(Interval(3.0, 2.0, 4.0), 40, margin=1.0, sign=-1) == "worse"


def test_an_undefined_effect_is_undecided():
    assert effect_verdict(Interval(math.nan, math.nan, math.nan), 40, 0.01) == "undecided"
    assert effect_verdict(Interval(0.1, math.nan, math.nan), 40, 0.01) == "undecided"


def test_benjamini_hochberg_by_hand():
    # sorted .005 .01 .03 .04 times 4/1 4/2 4/3 4/4 is .02 .02 .04 .04
    adjusted = benjamini_hochberg([0.01, 0.04, math.nan, 0.03, 0.005])
    assert adjusted == pytest.approx([0.02, 0.04, math.nan, 0.04, 0.02], nan_ok=True)
    assert benjamini_hochberg([]) == []
