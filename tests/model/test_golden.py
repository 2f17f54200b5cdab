"""A network gives what it gave when its activations were written down."""

import json

import pytest
import torch

from tests.model.golden import FILE, NETWORKS, given

GOLDEN = json.loads(FILE.read_text())
TOLERANCE = 1e-3  # of values around 1: in float64 they differ by 4e-5 at most


def test_every_architecture_is_written_down():
    assert list(GOLDEN) == [f"{name} {size}" for name, size in NETWORKS]


@pytest.mark.parametrize(("architecture", "size"), NETWORKS)
def test_no_dependency_has_moved_it(architecture, size):
    found, golden = given(architecture, size), GOLDEN[f"{architecture} {size}"]
    torch.testing.assert_close(
        [torch.tensor(values) for values in found],
        [torch.tensor(values) for values in golden],
        rtol=TOLERANCE,
        atol=TOLERANCE,
    )


def test_it_tells_the_two_ways_to_merge_patches_apart():
    ours, theirs = (GOLDEN[f"{name} tiny"] for name in ("swin-unetr", "swin-unetr-distinct"))
    assert ours[:2] == theirs[:2]
    assert ours[3] != theirs[3]
