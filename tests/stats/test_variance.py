import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from voxbench.stats.bootstrap import Sample
from voxbench.stats.variance import Components, variance_components

TRUTH = Components(0.03**2, 0.02**2, 0.015**2, 0.04**2)


def simulated(rng, patients=30, draws=4, seeds=3, missing=0.0, truth=TRUTH):
    """Values with known components, (patient, run)."""
    patient, draw, seed, rest = np.sqrt(truth[:4])
    values = (
        0.02
        + rng.normal(0, patient, (patients, 1))
        + np.repeat(rng.normal(0, draw, draws), seeds)
        + rng.normal(0, seed, draws * seeds)
        + rng.normal(0, rest, (patients, draws * seeds))
    )
    values[rng.random(values.shape) < missing] = np.nan
    return Sample(values, tuple(np.repeat(range(draws), seeds).tolist()))


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_known_components_are_found_on_average_also_with_gaps(missing):
    rng = np.random.default_rng(0)
    found = [variance_components(simulated(rng, missing=missing)) for _ in range(200)]
    means = np.mean([parts[:4] for parts in found], axis=0)
    assert means == pytest.approx(np.array(TRUTH[:4]), rel=0.12)


def test_with_uneven_seeds_the_draw_is_still_told_apart():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        values, draws, _ = simulated(rng)
        kept = [0, 1, 2, 3, 4, 6, 9, 10, 11]
        found.append(
            variance_components(Sample(values[:, kept], tuple(draws[i] for i in kept)))[:4]
        )
    assert np.mean(found, axis=0) == pytest.approx(np.array(TRUTH[:4]), rel=0.15)


def test_the_analysis_of_variance_by_hand():
    values = np.array([[1.0, 3.0], [2.0, 6.0], [6.0, 9.0]])
    # patients' means 2, 4, 7.5, runs' means 3, 6, mean 4.5
    between_patients = 2 * (2.5**2 + 0.5**2 + 3.0**2) / 2
    between_runs = 3 * (1.5**2 + 1.5**2) / 1
    rest = (6 * 0.0 + 2 * (0.5**2 + 0.5**2 + 0.0**2)) / 2
    found = variance_components(Sample(values, (0, 0)))
    assert found.rest == pytest.approx(rest)
    assert found.patient == pytest.approx((between_patients - rest) / 2)
    assert found.seed == pytest.approx((between_runs - rest) / 3)
    assert math.isnan(found.draw)


def test_where_nothing_is_missing_restricted_likelihood_says_the_same():
    pytest.importorskip("statsmodels")
    from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

    values, draws, _ = simulated(np.random.default_rng(0), patients=12, draws=3, seeds=3)
    found = variance_components(Sample(values, draws))
    assert not found.clipped
    patients, runs = (labels.ravel() for labels in np.indices(values.shape))
    levels = {"patient": patients, "draw": np.array(draws)[runs], "seed": runs}
    spec = VCSpec(
        list(levels),
        [[[str(level) for level in np.unique(labels)]] for labels in levels.values()],
        [[np.eye(labels.max() + 1)[labels]] for labels in levels.values()],
    )
    ones = np.ones((values.size, 1))
    model = MixedLM(100 * values.ravel(), ones, np.zeros(values.size), exog_vc=spec)
    fit = model.fit(reml=True, method="lbfgs")
    likely = np.array([*fit.vcomp, fit.scale]) / 100**2
    assert np.array(found[:4]) == pytest.approx(likely, rel=0.02)


def test_a_component_below_zero_is_set_to_zero_and_named():
    values = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    found = variance_components(Sample(values, (0, 0)))
    assert (found.patient, found.seed) == (0.0, 0.0)
    assert found.clipped == ("patient", "seed")


def test_one_training_can_not_tell_its_own_spread():
    found = variance_components(Sample(np.array([[1.0], [3.0]]), (0,)))
    assert found.patient == pytest.approx(2.0)
    assert np.isnan(found[1:4]).all()


def test_with_one_seed_a_draw_the_draw_holds_both():
    rng = np.random.default_rng(4)
    found = [variance_components(simulated(rng, draws=6, seeds=1)) for _ in range(200)]
    assert all(math.isnan(parts.seed) for parts in found)
    both = TRUTH.draw + TRUTH.seed
    assert np.mean([parts.draw for parts in found]) == pytest.approx(both, rel=0.1)


def test_without_a_value_nothing_is_known():
    assert np.isnan(variance_components(Sample(np.full((3, 2), np.nan), (0, 0)))[:4]).all()
    assert np.isnan(variance_components(Sample(np.empty((0, 0)), ()))[:4]).all()


def test_patients_that_never_meet_a_second_training_leave_nothing_to_tell_apart():
    values = np.array([[1.0, np.nan], [np.nan, 2.0]])
    assert np.isnan(variance_components(Sample(values, (0, 0)))[:4]).all()


@settings(max_examples=30, deadline=None)
@given(
    seed=some.integers(0, 1000),
    shift=some.floats(-10, 10),
    scale=some.floats(0.1, 10),
)
def test_a_shift_changes_nothing_and_a_scale_squares(seed, shift, scale):
    values, draws, _ = simulated(np.random.default_rng(seed), patients=6, draws=2, seeds=2)
    found = np.array(variance_components(Sample(values, draws))[:4])
    moved = np.array(variance_components(Sample(scale * values + shift, draws))[:4])
    assert moved == pytest.approx(scale**2 * found, rel=1e-5, abs=1e-9)
