"""SqueezeNet 1.0 in 3D with Caffe's module names (Iandola et al., 2016)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Encoder
from voxbench.model.backbones.decoder import decoded

_FIRES = {
    "fire2": (96, 16, 64),
    "fire3": (128, 16, 64),
    "fire4": (128, 32, 128),
    "fire5": (256, 32, 128),
    "fire6": (256, 48, 192),
    "fire7": (384, 48, 192),
    "fire8": (384, 64, 256),
    "fire9": (512, 64, 256),
}
_POOLED_BEFORE = ("fire2", "fire5", "fire9")


class SqueezeNetEncoder(Encoder):
    """`conv1` and the fire modules, padded so that maps align; a map before every pooling."""

    channels = (96, 256, 512, 512)
    strides = (2, 4, 8, 16)

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(in_channels, 96, 7, 2, padding=3)
        self.fires = tuple(_FIRES)
        for name, (channels, squeezed, expanded) in _FIRES.items():
            self.add_module(name, _Fire(channels, squeezed, expanded))
        self.stages = [
            ("conv1.",),
            ("fire2.", "fire3.", "fire4."),
            ("fire5.", "fire6.", "fire7.", "fire8."),
            ("fire9.",),
        ]
        for module in self.modules():
            if isinstance(module, nn.Conv3d):  # there is no norm to right a poor start
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        x = F.relu(self.conv1(x))
        maps = []
        for name in self.fires:
            if name in _POOLED_BEFORE:
                maps.append(x)
                x = F.max_pool3d(x, 3, 2, padding=1)
            x = self.get_submodule(name)(x)
        return [*maps, x]


class _Fire(nn.Module):
    """Squeeze to few channels, expand by 1x1x1 and 3x3x3 side by side."""

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.conv1x1_1 = nn.Conv3d(channels, squeezed, 1)
        self.conv1x1_2 = nn.Conv3d(squeezed, expanded, 1)
        self.conv3x3_2 = nn.Conv3d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, …) → (b, 2 · expanded, …)."""
        x = F.relu(self.conv1x1_1(x))
        return F.relu(torch.cat([self.conv1x1_2(x), self.conv3x3_2(x)], dim=1))


SQUEEZENET = Architecture(
    "squeezenet",
    {"1.0": None},
    lambda _, channels: decoded(SqueezeNetEncoder(channels)),
)
