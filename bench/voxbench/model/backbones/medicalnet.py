"""MedicalNet's ResNets (Chen et al., Med3D, 2019), with their key names."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.decoder import decoded
from voxbench.model.backbones.resnet import ResNetEncoder, ResNetSize


class MedicalNetEncoder(ResNetEncoder):
    """A ResNet whose coarse maps are the published ones at every second and fourth voxel.

    As published, `layer3` and `layer4` keep the stride of 8 and dilate by 2 and 4. A dilated
    network at every second voxel is one that strides first: the convolution that strides keeps a
    dilation of 2, those behind it need none. So the maps have the strides of a ResNet, at a
    fraction of the memory, and the values that the weights were trained for.
    """

    def __init__(self, size: ResNetSize, in_channels: int) -> None:
        super().__init__(size, in_channels)
        for layer in (self.layer3, self.layer4):
            strided: Any = layer[0].conv2 if size.block == "bottleneck" else layer[0].conv1
            strided.dilation = strided.padding = (2, 2, 2)
        if size.shortcut == "A":
            for layer, width in ((self.layer2, 128), (self.layer3, 256), (self.layer4, 512)):
                layer[0].downsample = ZeroPadded(width)


class ZeroPadded(nn.Module):
    """Shortcut A: every second voxel, with channels of zeros added.

    Args:
        channels: of the result.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, d, h, w) → (b, channels, d/2, h/2, w/2)."""
        return F.pad(x[:, :, ::2, ::2, ::2], (0,) * 6 + (0, self.channels - x.shape[1]))


MEDICALNET = Architecture(
    "medicalnet",
    {
        "10": ResNetSize("basic", (1, 1, 1, 1)),
        "18": ResNetSize("basic", (2, 2, 2, 2), "A"),
        "34": ResNetSize("basic", (3, 4, 6, 3), "A"),
        "50": ResNetSize("bottleneck", (3, 4, 6, 3)),
        "101": ResNetSize("bottleneck", (3, 4, 23, 3)),
        "152": ResNetSize("bottleneck", (3, 8, 36, 3)),
        "200": ResNetSize("bottleneck", (3, 24, 36, 3)),
    },
    lambda size, channels: decoded(MedicalNetEncoder(size, channels)),
)
