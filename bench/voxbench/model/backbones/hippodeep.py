"""hippodeep's network under its published names (Thyreau et al., 2018)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder
from voxbench.model.backbones.norm import SmallBatchNorm3d

_STEM = 16
_WIDTH = 48
_MARGIN = 2  # voxels that the stem's convolutions eat at each side


class HippodeepEncoder(Encoder):
    """A stem factorised by axes, then twice: pooling, norm and a residual block.

    The published stem gives maps that are smaller than the image; here the image's border is
    repeated first, so that they are as large.
    """

    channels = (_WIDTH, _WIDTH, _WIDTH)
    strides = (1, 2, 4)

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv0a_0 = nn.Conv3d(in_channels, _STEM, (1, 1, 3))
        self.conv0a_1 = nn.Conv3d(_STEM, _STEM, (1, 3, 1))
        self.conv0a = nn.Conv3d(_STEM, _STEM, (3, 1, 1))
        self.convf1 = nn.Conv3d(_STEM, _WIDTH, 3)
        self.bn1 = SmallBatchNorm3d(_WIDTH)
        self.convout0, self.convout1 = _same(_WIDTH), _same(_WIDTH)
        self.bn2 = SmallBatchNorm3d(_WIDTH)
        self.convout2p, self.convout2 = _same(_WIDTH), _same(_WIDTH)
        self.stages = [
            ("conv0a_0.", "conv0a_1.", "conv0a.", "convf1."),
            ("bn1.", "convout0.", "convout1."),
            ("bn2.", "convout2p.", "convout2."),
        ]

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        x = F.pad(x, [_MARGIN] * 6, mode="replicate")
        for layer in (self.conv0a_0, self.conv0a_1, self.conv0a, self.convf1):
            x = F.relu(layer(x))
        maps = [x]
        blocks = (
            (self.bn1, self.convout0, self.convout1),
            (self.bn2, self.convout2p, self.convout2),
        )
        for norm, first, second in blocks:
            x = F.max_pool3d(x, 2)
            x = F.relu(second(F.relu(first(norm(x)))) + x)
            maps.append(x)
        return maps


class HippodeepDecoder(Decoder):
    """A first, coarse answer (`convlx3` … `convlx8`) shows where to look at the finest map."""

    out_channels = 16
    stages = [  # noqa: RUF012 (declared so by every decoder)
        ("convlx3.",),
        ("convlx5.",),
        ("convlx7.", "convlx8."),
        ("blur.", "conv_extract."),
        ("convmix.",),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.convlx3, self.convlx5 = _same(_WIDTH), _same(_WIDTH)
        self.convlx7 = _same(_WIDTH, self.out_channels)
        self.convlx8 = nn.Conv3d(self.out_channels, 1, 1)
        self.blur = nn.Conv3d(1, 1, 7, padding=3)
        self.conv_extract = _same(_WIDTH, _WIDTH - 1)
        self.convmix = _same(_WIDTH, self.out_channels)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        finest, _, x = maps
        x = F.interpolate(F.relu(self.convlx3(x)), scale_factor=2, mode="nearest")
        x = F.interpolate(F.relu(self.convlx5(x)), scale_factor=2, mode="nearest")
        coarse = torch.sigmoid(self.convlx8(F.relu(self.convlx7(x))))
        looked_at = finest * torch.sigmoid(self.blur(coarse))
        x = torch.cat([coarse, F.leaky_relu(self.conv_extract(looked_at), 0.01)], dim=1)
        return F.relu(self.convmix(x))


def _same(channels: int, width: int = _WIDTH) -> nn.Conv3d:
    return nn.Conv3d(channels, width, 3, padding=1)


def _network(_: None, in_channels: int) -> Backbone:
    """The network without its last 1x1x1 convolution (0.50M parameters)."""
    backbone = Backbone(HippodeepEncoder(in_channels), HippodeepDecoder())
    for module in backbone.modules():
        if isinstance(module, nn.Conv3d):  # most layers have no norm to right a poor start
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    return backbone


HIPPODEEP = Architecture("hippodeep", {"base": None}, _network)
