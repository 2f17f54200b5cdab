import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize
from voxbench.stats.power_law import fit_power_law

N = np.array([5.0, 10, 20, 50, 100, 200])


def curve(a, b, c):
    return (a - b * N**-c)[None]


def score(law, n):
    """The score with n labelled patients, (curve, n)."""
    return law.ceiling[:, None] - law.gap[:, None] * np.power.outer(n, -law.exponent).T


def test_a_power_law_is_recovered():
    found = fit_power_law(N, curve(0.9, 0.8, 0.5))
    assert (found.ceiling[0], found.gap[0]) == pytest.approx((0.9, 0.8), abs=0.02)
    assert found.exponent[0] == pytest.approx(0.5, rel=0.04)
    assert found.error[0] < 1e-3


def test_it_fits_as_well_as_scipy():
    scores = curve(0.85, 0.5, 0.7) + np.random.default_rng(0).normal(0, 0.01, (1, 6))
    theirs, _ = optimize.curve_fit(
        lambda n, a, b, c: a - b * n**-c, N, scores[0], p0=(0.8, 0.5, 0.5),
        bounds=([-1, 0, 0.02], [1, 100, 3]),
    )  # fmt: skip
    error = np.sqrt(np.mean((theirs[0] - theirs[1] * N ** -theirs[2] - scores[0]) ** 2))
    assert fit_power_law(N, scores).error[0] == pytest.approx(error, rel=0.02)


def test_a_falling_curve_is_flat_within_the_bounds():
    found = fit_power_law(N, np.linspace(0.8, 0.6, 6)[None])
    assert (found.gap[0], found.ceiling[0]) == pytest.approx((0, 0.7))


def test_no_ceiling_is_higher_than_the_best_possible_score():
    assert fit_power_law(N, np.log(N)[None] / 6).ceiling[0] <= 1
    assert fit_power_law(N, -10 + np.log(N)[None], best=0.0).ceiling[0] <= 0


def test_labels_are_the_inverse_of_the_score():
    law = fit_power_law(N, curve(0.9, 0.8, 0.5))
    assert law.labels(score(law, [37.0])[:, 0]) == pytest.approx(37)
    assert law.labels(np.array([0.95])) == np.inf


def test_two_points_determine_nothing():
    with pytest.raises(ValueError, match="needs 3 points, got 2"):
        fit_power_law(N[:2], np.array([[0.5, 0.6]]))


@settings(max_examples=25)
@given(st.floats(0.3, 1), st.floats(0, 1), st.floats(0.05, 2))
def test_bounds_hold_and_many_curves_are_fitted_as_one(a, b, c):
    both = fit_power_law(N, np.concatenate([curve(a, b, c), curve(0.7, 0.3, 1.0)]))
    one = fit_power_law(N, curve(a, b, c))
    assert score(both, N)[0] == pytest.approx(score(one, N)[0], abs=1e-6)
    assert (both.gap >= 0).all()
    assert (both.ceiling <= 1).all()
