"""OoD detection and failure detection: by hand, by counting pairs, and at their limits."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.uncertainty.detection import detect, false_positives
from voxbench.uncertainty.failure import detect_failures, risk_coverage

SCORES = st.lists(st.integers(0, 4), min_size=2, max_size=12)


def test_a_perfect_score_and_its_opposite():
    assert detect(np.array([1, 2, 8, 9]), np.array([0, 0, 1, 1])) == (1, 1, 0, 1)
    found = detect(np.array([9, 8, 2, 1]), np.array([0, 0, 1, 1]))
    assert found == (0, pytest.approx((1 / 3 + 2 / 4) / 2), 1, 0)


def test_one_kind_alone_is_undefined():
    assert np.isnan(detect(np.arange(3), np.zeros(3))).all()
    assert np.isnan(detect(np.arange(3), np.ones(3))).all()


def test_places_among_the_top_half_are_shared_by_ties():
    assert detect(np.ones(4), np.array([1, 0, 0, 0])).top_half == 0.5
    assert detect(np.array([3, 1, 1, 0]), np.array([1, 1, 0, 0])).top_half == 0.75


def test_the_false_positives_are_those_at_the_threshold_that_95_percent_reach():
    score = np.append(np.arange(20), [0.5, 1.5, -1])  # 19 of 20 positives reach 1
    assert detect(score, np.arange(23) < 20).fpr95 == pytest.approx(1 / 3)


@given(SCORES, st.data())
def test_auroc_is_the_share_of_pairs_in_order(score, data):
    wanted = data.draw(st.lists(st.booleans(), min_size=len(score), max_size=len(score)))
    pairs = [
        (a > b) + (a == b) / 2
        for (a, one), (b, other) in itertools.product(zip(score, wanted, strict=True), repeat=2)
        if one and not other
    ]
    found = detect(np.array(score), np.array(wanted)).auroc
    assert found == pytest.approx(np.mean(pairs) if pairs else math.nan, nan_ok=True)


def test_areas_by_hand():
    found = detect_failures(np.array([0.4, 0.0, 0.2]), np.array([1, 3, 2]))
    assert found.aurc == pytest.approx((0 + 0.1 + 0.2) / 3)
    assert found.eaurc == pytest.approx(0)
    generalised = [0, 0, 0.2 / 3, 0.6 / 3]
    assert found.augrc == pytest.approx(sum(generalised[:3]) / 3 + generalised[3] / 6)


@pytest.mark.parametrize("confidence", [np.arange(25), np.zeros(25), -np.arange(25)])
def test_a_constant_risk_is_its_own_area_where_values_has_24_of_25(confidence):
    found = detect_failures(np.full(25, 0.25), confidence)
    assert found == pytest.approx((0.25, 0, 0.125))


@given(SCORES)
def test_ties_are_the_mean_over_all_their_orders(confidence):
    confidence = confidence[:4]
    risk = np.arange(len(confidence)) ** 2 / 36
    orders = [
        detect_failures(risk[list(order)], np.array(confidence)[list(order)] - 1e-6 * np.arange(
            len(order)))
        for order in itertools.permutations(range(len(confidence)))
    ]  # fmt: skip
    assert detect_failures(risk, np.array(confidence)) == pytest.approx(np.mean(orders, axis=0))


def test_augrc_of_errors_follows_from_auroc_and_accuracy():
    """Traub et al., NeurIPS 2024, equation 7."""
    rng = np.random.default_rng(0)
    wrong, confidence = rng.random(60) < 0.3, rng.integers(0, 20, 60)
    accuracy = 1 - wrong.mean()
    auroc = detect(-confidence, wrong).auroc
    expected = (1 - auroc) * accuracy * (1 - accuracy) + (1 - accuracy) ** 2 / 2
    assert detect_failures(wrong, confidence).augrc == pytest.approx(expected)


def test_one_case_has_its_risk_and_none_has_no_area():
    assert detect_failures(np.array([0.3]), np.array([0.1])) == pytest.approx((0.3, 0, 0.15))
    assert np.isnan(detect_failures(np.empty(0), np.empty(0))).all()


def test_an_undefined_risk_is_refused():
    with pytest.raises(ValueError, match="leave undefined cases out"):
        risk_coverage(np.array([math.nan]), np.array([1.0]))


@given(SCORES, st.data())
def test_rates_of_resamples_are_those_of_the_cases_repeated(score, data):
    of = {"min_size": len(score), "max_size": len(score)}
    wanted = np.array(data.draw(st.lists(st.booleans(), **of)))
    times = np.array([data.draw(st.lists(st.integers(0, 3), **of)) for _ in range(3)])
    repeated = [
        detect(np.repeat(np.array(score), row), np.repeat(wanted, row)).fpr95 for row in times
    ]
    np.testing.assert_allclose(false_positives(np.array(score), wanted, times), repeated)
