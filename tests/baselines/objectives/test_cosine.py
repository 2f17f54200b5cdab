"""Cosines are exact in every precision of a training."""

import torch
from voxbench_baselines.objectives.cosine import cosines


def test_cosines_of_known_angles():
    vectors = torch.tensor([[3.0, 0], [0, 2], [1, 1], [-5, 0]])
    half = 0.5**0.5
    expected = torch.tensor([[1, 0, half, -1], [0, 1, half, 0]])
    torch.testing.assert_close(cosines(vectors[:2], vectors), expected)


def test_half_precision_does_not_round_them():
    torch.manual_seed(0)
    vectors = torch.randn(2, 6, 64)
    exact = cosines(vectors, vectors)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(cosines(vectors, vectors), exact)
