"""What must hold for any pair of label maps, and that all of it equals the brute-force oracle."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from voxbench.metrics import evaluate

from tests.metrics import oracle

CLASSES = {"one": 1, "two": 2}
SPACINGS = [0.5, 0.8, 1.0, 1.37, 2.5]
DEFINITIONS = st.sampled_from(["surface", "voxel"])
TOLERANCES = st.sampled_from([0.0, 0.5, 0.8, 1.0, 2.4, 5.0])


@st.composite
def pairs(draw, axes=(2, 3)):
    """Two small label maps of one shape: random voxels, or blocks, or anything between."""
    ndim = draw(st.sampled_from(axes))
    shape = tuple(draw(st.integers(1, 7)) for _ in range(ndim))
    spacing = tuple(draw(st.sampled_from(SPACINGS)) for _ in range(ndim))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    maps = [_labels(rng, shape, draw(st.floats(0, 1))) for _ in range(2)]
    return maps[0], maps[1], spacing


def _labels(rng, shape, noise) -> NDArray[np.uint8]:
    volume = np.zeros(shape, np.uint8)
    for label in (1, 2):
        ends = [sorted(rng.integers(0, n + 1, 2)) for n in shape]
        volume[tuple(slice(a, b) for a, b in ends)] = label
    random = rng.integers(0, 3, shape).astype(np.uint8)
    return np.where(rng.random(shape) < noise, random, volume)


def same(one, other) -> bool:
    numbers = zip(one[:8], other[:8], strict=True)
    return one.flag == other.flag and all(
        math.isclose(a, b, rel_tol=1e-9) or a == b or (math.isnan(a) and math.isnan(b))
        for a, b in numbers
    )


@settings(deadline=None, max_examples=300)
@given(pairs(), TOLERANCES, DEFINITIONS, st.sampled_from([0.0, 50.0, 95.0, 99.0, 100.0]))
def test_every_number_equals_the_oracle(pair, tolerance, definition, percent):
    prediction, reference, spacing = pair
    scores = evaluate(
        prediction, reference, CLASSES, spacing, tolerance, definition,
        percentiles=[percent], assd=True,
    )  # fmt: skip
    for name, label in CLASSES.items():
        p, r = prediction == label, reference == label
        if not (p.any() and r.any()):
            assert scores[name].flag
            continue
        expected = oracle.score(p, r, spacing, tolerance, definition, percent)
        assert scores[name].dice == expected["dice"]
        assert scores[name].nsd == pytest.approx(expected["nsd"], abs=1e-12)
        assert scores[name].hd_mm[percent] == pytest.approx(expected["hd_mm"], rel=1e-12)
        assert scores[name].assd_mm == pytest.approx(expected["assd_mm"], rel=1e-12)
        assert scores[name].boundary_prediction == pytest.approx(expected["boundary_prediction"])
        assert scores[name].boundary_reference == pytest.approx(expected["boundary_reference"])


@settings(deadline=None, max_examples=60)
@given(pairs(), TOLERANCES, DEFINITIONS)
def test_swapping_prediction_and_reference_changes_nothing(pair, tolerance, definition):
    prediction, reference, spacing = pair
    one = evaluate(prediction, reference, CLASSES, spacing, tolerance, definition, assd=True)
    two = evaluate(reference, prediction, CLASSES, spacing, tolerance, definition, assd=True)
    for name in CLASSES:
        assert one[name].dice == two[name].dice or math.isnan(one[name].dice)
        assert one[name].nsd == pytest.approx(two[name].nsd, abs=1e-12, nan_ok=True)
        assert one[name].hd95_mm == pytest.approx(two[name].hd95_mm, nan_ok=True)
        assert one[name].assd_mm == pytest.approx(two[name].assd_mm, nan_ok=True)


@settings(deadline=None, max_examples=60)
@given(pairs(), DEFINITIONS)
def test_nsd_rises_with_the_tolerance_and_scores_stay_in_bounds(pair, definition):
    prediction, reference, spacing = pair
    nsd = dict.fromkeys(CLASSES, 0.0)
    for tolerance in (0.0, 0.5, 1.0, 2.0, 4.0, 40.0):
        scores = evaluate(prediction, reference, CLASSES, spacing, tolerance, definition)
        for name, score in scores.items():
            if score.flag == "both_empty":
                continue
            assert 0 <= score.dice <= 1
            assert nsd[name] <= score.nsd <= 1 + 1e-12
            assert score.hd95_mm >= 0
            nsd[name] = score.nsd
    assert all(score.nsd in (0, pytest.approx(1)) or score.flag for score in scores.values())


@settings(deadline=None, max_examples=60)
@given(pairs(axes=(3,)), DEFINITIONS, st.permutations(range(3)), st.sets(st.integers(0, 2)))
def test_axes_may_be_permuted_and_flipped_with_their_spacing(pair, definition, order, flipped):
    prediction, reference, spacing = pair
    moved = [np.flip(v.transpose(order), sorted(flipped)) for v in (prediction, reference)]
    one = evaluate(prediction, reference, CLASSES, spacing, 1.0, definition, assd=True)
    two = evaluate(*moved, CLASSES, [spacing[a] for a in order], 1.0, definition, assd=True)
    assert all(same(one[name], two[name]) for name in CLASSES)


@settings(deadline=None, max_examples=60)
@given(pairs(), DEFINITIONS, st.integers(0, 5), st.integers(0, 5))
def test_padding_changes_nothing_but_the_diagonal(pair, definition, before, after):
    prediction, reference, spacing = pair
    padded = [np.pad(v, (before, after)) for v in (prediction, reference)]
    one = evaluate(prediction, reference, CLASSES, spacing, 1.0, definition, assd=True)
    two = evaluate(*padded, CLASSES, spacing, 1.0, definition, assd=True)
    for name in CLASSES:
        assert one[name].flag == two[name].flag
        assert one[name].flag or same(one[name], two[name])


@settings(deadline=None, max_examples=20)
@given(pairs(axes=(3,)), DEFINITIONS, st.integers(0, 30))
def test_far_apart_masks_are_measured_as_exactly_as_near_ones(pair, definition, apart):
    prediction, reference, spacing = pair
    prediction = np.pad(prediction, ((0, 40), (0, 0), (apart, 0)))
    reference = np.pad(reference, ((40, 0), (0, 0), (apart, 0)))
    scores = evaluate(prediction, reference, CLASSES, spacing, 1.0, definition, assd=True)
    for name, label in CLASSES.items():
        p, r = prediction == label, reference == label
        if p.any() and r.any():
            expected = oracle.score(p, r, spacing, 1.0, definition)
            assert scores[name].hd95_mm == pytest.approx(expected["hd_mm"], rel=1e-12)
            assert scores[name].assd_mm == pytest.approx(expected["assd_mm"], rel=1e-12)
