"""The two ways to resolve far sites agree with each other and with all pairs."""

import numpy as np
import pytest
from voxbench.metrics import distance_transform, evaluate


def sites(rng, n, box, shift):
    points = np.unique(rng.integers(0, box, (n, 3)), axis=0)
    return np.ascontiguousarray(points.T.astype(np.int32) + np.array(shift, np.int32)[:, None])


@pytest.mark.parametrize("shift", [(0, 0, 0), (30, 0, 0), (-9, 25, 7), (0, 0, -40)])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (200, 1), (1, 200), (300, 300)])
def test_planes_and_pairs_find_the_same_nearest_site(n, m, shift):
    rng = np.random.default_rng(n + m)
    source, target = sites(rng, n, (9, 12, 15), shift), sites(rng, m, (20, 7, 10), (0, 0, 0))
    spacing = np.array([2.5, 0.8, 0.7])
    planes, pairs = (np.full(source.shape[1], np.inf) for _ in range(2))
    distance_transform._planes(source, target, spacing, planes)
    distance_transform._pairs(source, target, spacing, pairs)
    apart = (source.T[:, None] - target.T[None]) * spacing
    assert pairs == pytest.approx((apart**2).sum(-1).min(1), rel=1e-14)
    assert planes == pytest.approx(pairs, rel=1e-12)
    assert distance_transform.squared_distances(source, target, spacing) == pytest.approx(
        pairs, rel=1e-12
    )


def test_planes_improve_only_what_they_can():
    source, target = np.array([[0], [0], [0]], np.int32), np.array([[5], [0], [0]], np.int32)
    known = np.array([4.0])
    distance_transform._planes(source, target, np.ones(3), known)
    assert known[0] == 4


def test_a_mirrored_organ_is_measured_by_planes():
    i, j, k = np.ogrid[:60, :70, :80]
    reference = ((i - 20) ** 2 + (j - 20) ** 2 + (k - 20) ** 2 < 200).astype(np.uint8)
    prediction = np.ascontiguousarray(reference[:, :, ::-1])
    score = evaluate(prediction, reference, {"it": 1}, (1, 1, 1), 1.0, percentiles=[100])["it"]
    # The ball spans 7…34, 73 … 46 mirrored: its outermost point is 73 - 34 corners away.
    assert score.hd_mm[100] == 39
    assert score.dice == score.nsd == 0
