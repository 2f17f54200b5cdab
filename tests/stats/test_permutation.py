import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from voxbench.stats.permutation import pair_contrasts, sign_flip


def test_six_equal_gains_have_two_patterns_of_64():
    assert sign_flip(np.full((6, 1), 0.1)) == pytest.approx(2 / 64)


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=8))
def test_few_patients_are_counted_exactly_as_scipy_does(values):
    given_ = np.array(values, dtype=float)
    theirs = stats.permutation_test(
        (given_,), np.mean, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert sign_flip(given_[:, None])[0] == pytest.approx(theirs)


def test_many_patients_agree_with_scipy_up_to_chance():
    values = np.random.default_rng(0).normal(0.25, 1, 60)
    theirs = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=20_000,
        rng=np.random.default_rng(1),
    ).pvalue  # fmt: skip
    assert sign_flip(values[:, None])[0] == pytest.approx(theirs, abs=0.01)


def test_pairs_of_arms_are_their_differences():
    arms = np.random.default_rng(2).normal([0, 0, 0.3, 0.6], size=(40, 4))
    contrasts, pairs = pair_contrasts(4)
    differences = np.stack([arms[:, i] - arms[:, j] for i, j in pairs], axis=1)
    assert sign_flip(arms, contrasts) == pytest.approx(sign_flip(differences))


def test_undefined_patients_change_nothing():
    values = np.random.default_rng(3).normal(0.5, 1, (10, 1))
    with_gap = np.concatenate([values, [[np.nan]]])
    assert sign_flip(with_gap) == pytest.approx(sign_flip(values))


def test_without_a_patient_there_is_no_p():
    assert np.isnan(sign_flip(np.full((4, 1), np.nan))).all()


def test_no_difference_is_p_1():
    assert sign_flip(np.zeros((30, 1))) == 1.0


def test_p_is_never_zero():
    assert sign_flip(np.full((500, 1), 1.0), resamples=999) == pytest.approx(1 / 1000)
