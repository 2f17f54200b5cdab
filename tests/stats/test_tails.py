"""The outer quantiles of resamples are numpy's, whatever lies between them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.stats.tails import outer_quantiles


@pytest.mark.parametrize("count", [2, 3, 40, 41, 1000, 10_000])
@pytest.mark.parametrize("kind", ["normal", "one tail", "few values", "two clusters", "constant"])
def test_they_are_those_of_numpy_to_the_last_digit(count, kind):
    rng = np.random.default_rng(count)
    drawn = {
        "normal": rng.normal(0.7, 0.1, (3, count)),
        "one tail": rng.exponential(1, (3, count)) ** 3,
        "few values": rng.integers(0, 4, (3, count)) / 7,
        "two clusters": rng.integers(0, 2, (3, count)) + rng.normal(0, 1e-9, (3, count)),
        "constant": np.full((3, count), 0.3),
    }[kind]

    low, high = outer_quantiles(drawn, drawn.mean(axis=1), drawn.std(axis=1), 0.025)

    np.testing.assert_array_equal([low, high], np.quantile(drawn, (0.025, 0.975), axis=1))


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80),
    st.floats(-1e6, 1e6),
    st.floats(0, 1e6),
    st.sampled_from([0.01, 0.025, 0.1, 0.25, 0.4]),
)
def test_a_centre_and_a_spread_that_are_none_move_nothing(values, centre, spread, tail):
    drawn = np.array([values])

    low, high = outer_quantiles(drawn, np.array([centre]), np.array([spread]), tail)

    expected = np.quantile(drawn, (tail, 1 - tail), axis=1)
    np.testing.assert_allclose([low, high], expected, rtol=1e-12, atol=1e-9)
