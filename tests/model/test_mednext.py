"""MedNeXt has the published names and shapes in every size, with kernels of 3 and of 5."""

import pytest
import torch
from torch import nn
from voxbench.plugins import find_architecture

from tests.baselines.layouts import fingerprint, shapes

PUBLISHED = {  # of its code at commit 0b78ed8, without heads and `dummy_tensor`
    "small": (226, 2481501386),
    "small-k5": (226, 120603376),
    "base": (226, 4096846164),
    "base-k5": (226, 852755861),
    "medium": (354, 2618420477),
    "medium-k5": (354, 799368566),
    "large": (514, 3791681781),
    "large-k5": (514, 1281936318),
}


@pytest.mark.parametrize("size", PUBLISHED)
def test_its_layout_is_the_published_one(size):
    with torch.device("meta"):
        backbone = find_architecture("mednext").build(size, 1)
    named = {
        name.partition(".")[2].replace("enc_block_4", "bottleneck"): shape
        for name, shape in shapes(backbone).items()
    }
    assert fingerprint(named) == PUBLISHED[size]


def test_blocks_that_double_fill_up_in_front():
    block = find_architecture("mednext").build("tiny", 1).decoder.up_0.eval()
    x = torch.randn(1, 16, 3, 4, 5)
    with torch.no_grad():
        y = block(x)
        assert y.shape == (1, 8, 6, 8, 10)
        assert not y[:, :, 0].any() and not y[..., 0].any()  # noqa: PT018
        doubled = nn.functional.gelu(block.conv2(block.norm(block.conv1(x))))
        expected = block.conv3(doubled) + block.res_conv(x)
    torch.testing.assert_close(y[:, :, 1:, 1:, 1:], expected)
