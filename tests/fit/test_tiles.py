"""Windows that tile validation cases, against counts of every voxel."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.fit.tiles import draw_tiles, inclusion, systematic

PATCH = (8, 8, 8)
SHAPE = (20, 17, 6)  # 3 × 3 × 1 windows, the last two of an axis overlap
SIZES = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=40).map(np.array)


def case(shape, *blobs):
    """A case with a class in each of some boxes."""
    label = np.zeros(shape, np.uint8)
    for index, box in enumerate(blobs, start=1):
        label[box] = index
    flat = label.ravel()
    known = {f"class{i}": np.flatnonzero(flat == i) for i in range(1, 1 + len(blobs))}
    return SimpleNamespace(image=np.zeros((1, *shape), np.float32), label=label, foreground=known)


CASES = [
    case(SHAPE, np.s_[2:5, 3:6, 1:4], np.s_[12:19, 10:16, 2:5]),
    case((30, 30, 8), np.s_[14:18, 14:18, 2:6]),
    case((7, 8, 5)),
]
CLASSES = ("class1", "class2")


def everywhere(case, tile):
    found = np.zeros(case.label.shape, int)
    found[tile.own] += 1
    return found


@pytest.mark.parametrize("case", CASES)
def test_every_voxel_counts_in_one_window_that_holds_it(case):
    drawn = draw_tiles([case], CLASSES, PATCH, 1000, seed=0)
    assert (sum(everywhere(case, tile) for tile in drawn) == 1).all()
    for tile in drawn:
        for first, own, size in zip(tile.corner, tile.own, case.label.shape, strict=True):
            assert first <= own.start < own.stop <= first + 8
            assert size < 8 or 0 <= first <= size - 8


def test_few_windows_are_all_of_them_and_count_once():
    drawn = draw_tiles(CASES, CLASSES, PATCH, 26, seed=3)
    assert [sum(tile.case == i for tile in drawn) for i in range(3)] == [9, 16, 1]
    assert {tile.weight for tile in drawn} == {1.0}


def test_over_many_draws_weighted_counts_are_those_of_all_windows():
    """Of each class and of any set of voxels, here one without structures, as by brute force."""
    far = [np.random.default_rng(i).random(case.label.shape) < 0.1 for i, case in enumerate(CASES)]
    wanted = [sum((c.label == 1).sum() for c in CASES), (CASES[0].label == 2).sum()]
    wanted += [sum(own.sum() for own in far)]
    found = []
    for seed in range(2000):
        drawn = draw_tiles(CASES, CLASSES, PATCH, 8, seed)
        assert len(drawn) == 8
        counts = np.zeros(3)
        for case, _, own, weight in drawn:
            label, there = CASES[case].label[own], far[case][own]
            counts += weight * np.array([(label == 1).sum(), (label == 2).sum(), there.sum()])
        found.append(counts)
    error = np.std(found, axis=0) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - wanted) <= 4 * error + 1e-9).all()


def test_structures_are_favoured_and_no_window_is_left_out_for_good():
    drawn = [tile for seed in range(500) for tile in draw_tiles(CASES, CLASSES, PATCH, 8, seed)]
    held = [CASES[tile.case].label[tile.own].any() for tile in drawn]
    every = [CASES[t.case].label[t.own].any() for t in draw_tiles(CASES, CLASSES, PATCH, 99, 0)]
    assert np.mean(held) > 0.5 > np.mean(every)
    assert len({(tile.case, tile.corner) for tile in drawn}) == len(every) == 26


@given(SIZES, st.integers(1, 40))
def test_chances_are_those_of_a_sample_of_that_many(sizes, most):
    chances = inclusion(sizes, most)
    assert chances.sum() == pytest.approx(min(most, len(sizes)))
    assert ((chances > 0) & (chances <= 1)).all()
    rest = chances < 1
    ratio = chances[rest] / sizes[rest]
    assert ratio == pytest.approx(ratio[:1].repeat(rest.sum()))


@given(SIZES, st.integers(1, 40))
def test_each_is_drawn_as_often_as_its_chance_says(sizes, most):
    """Over starts that lie evenly, which is what a start at random stands for."""
    chances = inclusion(sizes, most)
    starts = (np.arange(400) + 0.5) / 400
    drawn = [systematic(chances, start) for start in starts]
    assert {abs(len(own) - min(most, len(sizes))) for own in drawn} == {0}
    often = np.bincount(np.concatenate(drawn), minlength=len(sizes)) / len(starts)
    assert often == pytest.approx(chances, abs=2 / len(starts))
