"""Bins, Platt scaling and promised risks, on cases that can be checked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special
from voxbench.uncertainty.calibration import reliability
from voxbench.uncertainty.conformal import controlled_threshold, miss_rates
from voxbench.uncertainty.platt import Platt, fit_platt


def test_two_bins_count_alike_in_ace_and_by_their_voxels_in_ece():
    right = np.array([1, 1, 1, 0])
    confidence = np.array([0.98, 0.98, 0.98, 0.52])
    found = reliability(right, confidence)
    assert found.ace == pytest.approx((0.02 + 0.52) / 2)
    assert found.ece == pytest.approx((3 * 0.02 + 0.52) / 4)
    assert found.accuracy[[10, 19]].tolist() == [0, 1]
    assert found.confidence[[10, 19]] == pytest.approx([0.52, 0.98])
    assert np.isnan(found.accuracy[0])


def test_an_image_without_a_mistake_is_a_case_where_values_has_90_percent_for_10():
    assert reliability(np.ones(8), np.full(8, 0.9)).ace == pytest.approx(0.1)


def test_parts_add_up_to_the_whole(monkeypatch):
    rng = np.random.default_rng(0)
    right, confidence = rng.random(50) < 0.5, rng.random(50)
    whole = reliability(right, confidence)
    parts = reliability(right[:20], confidence[:20]).joined(
        reliability(right[20:], confidence[20:])
    )
    np.testing.assert_allclose(parts, whole)
    monkeypatch.setattr("voxbench.uncertainty.calibration._AT_ONCE", 7)
    np.testing.assert_allclose(reliability(right, confidence), whole)


def test_several_raters_are_as_many_judgements_and_a_voxel_without_any_is_none():
    right, trials = np.array([2, 0, 1]), np.array([3, 0, 1])
    one_by_one = reliability(np.array([1, 1, 0, 1]), np.array([0.7, 0.7, 0.7, 0.2]))
    np.testing.assert_allclose(reliability(right, np.array([0.7, 0.4, 0.2]), trials), one_by_one)
    assert math.isnan(reliability(np.zeros(2), np.ones(2), np.zeros(2)).ace)
    assert math.isnan(reliability(np.zeros(2), np.ones(2), np.zeros(2)).ece)


@given(st.integers(0, 99))
def test_platt_scaling_is_the_most_likely_fit(seed):
    rng = np.random.default_rng(seed)
    score = rng.random(40)
    right = rng.random(40) > score / 2
    found = fit_platt(score, right)
    n, m = right.sum(), (~right).sum()
    aims = np.where(right, (n + 1) / (n + 2), 1 / (m + 2))

    def loss(ab):
        z = ab[0] * score - ab[1]
        return -(aims * special.log_expit(z) + (1 - aims) * special.log_expit(-z)).sum()

    best = optimize.minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-6})
    assert found == pytest.approx(best.x, rel=1e-3, abs=1e-3)
    assert loss(found) <= best.fun + 1e-9


def test_an_image_without_a_mistake_or_without_doubt_has_a_fit():
    assert fit_platt(np.arange(8.0), np.ones(8)).confidence(np.arange(8)) == pytest.approx(0.9)
    half = fit_platt(np.ones(4), np.array([1, 1, 0, 0])).confidence(np.ones(1))
    assert half == pytest.approx(0.5)


def test_cases_count_alike_in_the_mean_of_their_fits():
    assert Platt.mean([Platt(-4, 1), Platt(-2, 3)]) == (-3, 2)


def test_a_share_of_a_structure_is_missed_by_a_high_threshold():
    probability = np.array([0.9, 0.6, 0.2, 0.1])
    reference = np.array([True, True, True, False])
    thresholds = np.array([0.1, 0.5, 0.6, 0.95])
    assert miss_rates(probability, reference, thresholds) == pytest.approx([0, 1 / 3, 1 / 3, 1])
    assert np.isnan(miss_rates(probability, reference & False, thresholds)).all()


def test_a_promise_needs_as_many_cases_as_make_it_possible():
    thresholds = np.array([0.2, 0.8])
    losses = np.array([[0.0, 0.5]] * 9)
    assert controlled_threshold(losses, thresholds, 0.10) == 0.2
    assert controlled_threshold(losses, thresholds, 0.55) == 0.8
    assert controlled_threshold(losses, thresholds, 0.09) == -math.inf


def test_the_promise_is_kept_on_new_cases():
    rng = np.random.default_rng(0)
    thresholds = np.linspace(0, 1, 101)
    kept = []
    for _ in range(200):
        centre = rng.random(21)
        losses = np.clip(thresholds - centre[:, None], 0, 1)
        chosen = controlled_threshold(losses[:20], thresholds, 0.1)
        kept.append(max(0.0, chosen - centre[20]))
    assert 0.05 < np.mean(kept) <= 0.1
