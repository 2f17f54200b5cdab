import numpy as np
import pytest
from voxbench.analyses.ranks.league import league

from tests.analyses.ranks.boards import board, noisy

NAN = float("nan")


def test_arms_that_differ_have_places_of_their_own():
    rows = league(board(noisy(0.5, 0.7, 0.6)), 0.01).rows
    assert [(row.arm, row.place, row.group) for row in rows] == [
        ("b", 1, "a"), ("c", 2, "b"), ("a", 3, "c"),
    ]  # fmt: skip
    assert [row.rank for row in rows] == [
        (1, 1, 1), (2, 2, 2), (3, 3, 3),
    ]  # fmt: skip
    assert [row.first for row in rows] == [1, 0, 0]


def test_arms_that_do_not_differ_are_tied():
    rows = league(board(noisy(0.6, 0.6, 0.7, noise=0.05)), 0.01).rows
    assert [row.place for row in rows] == [1, 2, 2]
    assert [row.group for row in rows] == ["a", "b", "b"]
    assert rows[1].rank.high == 3


def test_equal_arms_share_their_rank_in_every_resample():
    scores = noisy(0.6)
    rows = league(board(np.concatenate([scores, scores])), 0.01).rows
    assert [(row.rank, row.first) for row in rows] == [((1.5, 1.5, 1.5), 0.0)] * 2


def test_the_shortest_distance_is_first():
    rows = league(board(noisy(5.0, 7.0), metric="hd95_mm"), 0.01).rows
    assert [row.arm for row in rows] == ["a", "b"]


def test_the_aggregation_decides_where_tasks_disagree():
    small, large = noisy(0.9, 0.5, patients=6), noisy(0.5, 0.6, patients=60)
    assert league(board(small, large), 0.01, "tasks").rows[0].arm == "a"
    assert league(board(small, large), 0.01, "patients").rows[0].arm == "b"


def test_an_arm_without_a_score_is_last_and_has_no_rank():
    scores = noisy(0.5, 0.6)
    scores[1] = NAN
    rows = league(board(scores), 0.01).rows
    assert [row.arm for row in rows] == ["a", "b"]
    assert (rows[1].tasks, rows[1].patients) == (0, 0)
    assert np.isnan([*rows[1].rank, *rows[1].mean, rows[1].first]).all()


def test_the_same_board_gives_the_same_league():
    given = board(noisy(0.6, 0.61, 0.7), noisy(0.5, 0.5, 0.5, seed=4), noisy(0.6, 0.5, 0.7, seed=5))
    assert league(given, 0.01) == league(given, 0.01)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_ranks_ignore_what_all_arms_gain(shift):
    first = league(board(noisy(0.5, 0.51, 0.53)), 0.01).rows
    moved = league(board(noisy(0.5, 0.51, 0.53) + shift), 0.01).rows
    assert [row.rank.high for row in moved] == [row.rank.high for row in first]


def test_no_place_contradicts_the_order_and_a_mean_that_does_is_explained():
    patients = np.random.default_rng(1).normal(0, 0.05, 60)
    flip = np.tile([1, -1], 30)
    wild = 0.25 * flip  # ahead of c on average, but not of anybody for sure
    scores = 0.5 + np.array([patients + 0.06, patients + 0.02, patients + 0.005 + wild])
    found = league(board(scores), 0.001)
    assert [(row.arm, row.place) for row in found.rows] == [("a", 1), ("c", 1), ("b", 2)]
    assert [row.group for row in found.rows] == ["a", "ab", "b"]
    assert found.rows[2].note == "ranks before c, but more arms are shown to be better than it"
    assert [row.note for row in found.rows[:2]] == ["", ""]


def test_two_tasks_rank_arms_without_an_interval():
    rows = league(board(noisy(0.6, 0.7), noisy(0.5, 0.6, seed=4)), 0.01).rows
    assert [(row.arm, row.place) for row in rows] == [("b", 1), ("a", 1)]
    assert np.isnan([end for row in rows for end in (*row.rank[1:], *row.mean[1:])]).all()
