import numpy as np
import pytest
from voxbench.stats.learning_curve import labels_to_reach, last_crossing


def test_labels_to_reach_a_score_by_hand():
    labels, twin = np.array([10.0, 100.0, 1000.0]), np.array([[0.5, 0.6, 0.8]])
    for score, expected in ((0.55, 10**1.5), (0.7, 10**2.5), (0.5, 10), (0.8, 1000)):
        assert labels_to_reach(np.array([score]), labels, twin) == pytest.approx(expected)
    assert labels_to_reach(np.array([0.9]), labels, twin) == np.inf
    assert labels_to_reach(np.array([0.4]), labels, twin) == 0


def test_the_last_crossing_by_hand():
    labels = np.array([10.0, 100.0, 1000.0])
    excess = np.array([[0.1, 0.1, -0.1], [0.1, -0.1, -0.1], [-0.1, -0.1, -0.1], [0.1, -0.1, 0.1]])
    assert last_crossing(labels, excess) == pytest.approx([10**2.5, 10**1.5, 0, np.inf])
