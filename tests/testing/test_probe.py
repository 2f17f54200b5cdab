"""The batch-norm probe prefers images that look like the remembered ones."""

import math

import pytest
import torch
from torch import nn
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder
from voxbench.plugins import find_architecture
from voxbench.testing.probe import mismatch


class Norm(Encoder):
    channels = (1,)
    strides = (1,)

    def __init__(self, mean: float, var: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm3d(1, eps=0)
        self.norm.running_mean.fill_(mean)
        self.norm.running_var.fill_(var)

    def forward(self, x):
        return [self.norm(x)]


class First(Decoder):
    out_channels = 1

    def forward(self, maps):
        return maps[0]


def volume(mean: float, deviation: float) -> torch.Tensor:
    signs = torch.tensor([-1.0, 1.0]).repeat(32).reshape(1, 1, 4, 4, 4)
    return mean + deviation * signs


@pytest.mark.parametrize(
    ("remembered", "given", "nats"),
    [
        ((0.0, 1.0), (0.0, 1.0), 0.0),
        ((0.0, 1.0), (2.0, 1.0), 2.0),  # (Δmean)² / 2 var
        ((0.0, 4.0), (0.0, 1.0), (math.log(4) + 1 / 4 - 1) / 2),
    ],
)
def test_it_is_the_divergence_of_two_gaussians(remembered, given, nats):
    backbone = Backbone(Norm(*remembered), First())
    assert mismatch(backbone, volume(*given)) == pytest.approx(nats)


def test_images_as_they_were_in_training_match_best():
    torch.manual_seed(0)
    encoder = Norm(0, 1)
    encoder.conv = nn.Conv3d(1, 1, (1, 1, 3), padding=(0, 0, 1))
    encoder.norm = nn.Sequential(encoder.conv, nn.BatchNorm3d(1, momentum=1.0))
    backbone = Backbone(encoder, First())
    ramp = torch.linspace(-1, 1, 16) ** 3
    seen = (ramp.view(1, 1, 16, 1, 1) + 0.1 * torch.randn(2, 1, 16, 16, 16)).contiguous()
    backbone(seen)
    turned = [mismatch(backbone, seen.transpose(2, 4)), mismatch(backbone, seen + 0.5)]
    assert mismatch(backbone, seen) < 1e-3 < min(turned)


def test_it_leaves_the_network_as_it_was():
    backbone = Backbone(Norm(1.0, 2.0), First()).train()
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    mismatch(backbone, volume(0.0, 1.0))
    assert backbone.training
    assert all(torch.equal(t, before[name]) for name, t in backbone.state_dict().items())
    assert not any(m._forward_pre_hooks for m in backbone.modules())


def test_a_network_without_batch_norm_is_refused():
    with pytest.raises(ValueError, match="no batch norm"):
        mismatch(find_architecture("unet").build("tiny", 1), torch.randn(1, 1, 16, 16, 16))
