"""SegResNet as Auto3DSeg has it, MONAI's `SegResNetDS`, with published key names.

Its head on the finest level and those of deep supervision are left out.
"""

from typing import Any

from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder
from voxbench.model.backbones.norm import with_small_batches
from voxbench.model.backbones.segresnet import SegResNetSize


class SegResNetDSEncoder(Encoder):
    """The way down: `conv_init`, `layers`."""

    def __init__(self, network: Any, size: SegResNetSize) -> None:
        super().__init__()
        levels = range(len(size.blocks))
        self.channels = tuple(size.filters * 2**level for level in levels)
        self.strides = tuple(2**level for level in levels)
        self.stages = [("conv_init.",), *((f"layers.{level}.",) for level in levels)]
        self.conv_init: nn.Module = network.encoder.conv_init
        self.layers: nn.ModuleList = network.encoder.layers

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        x = self.conv_init(x)
        maps = []
        for level in self.layers:
            x = level["blocks"](x)  # type: ignore[index]
            maps.append(x)
            x = level["downsample"](x)  # type: ignore[index]
        return maps


class SegResNetDSDecoder(Decoder):
    """The way up: `up_layers`."""

    def __init__(self, network: Any, filters: int) -> None:
        super().__init__()
        self.out_channels = filters
        self.up_layers: nn.ModuleList = network.up_layers
        for level in self.up_layers:
            del level["head"]
        self.stages = [(f"up_layers.{i}.",) for i in range(len(self.up_layers))]

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        *skips, x = maps
        for level, skip in zip(self.up_layers, reversed(skips), strict=True):
            x = level["blocks"](level["upsample"](x) + skip)  # type: ignore[index]
        return x


def _network(size: SegResNetSize, in_channels: int) -> Backbone:
    """Its batch norms know how to train on few patches (`norm.py`), in both arms alike."""
    from monai.networks.nets import SegResNetDS

    filters, blocks = size
    network = SegResNetDS(init_filters=filters, in_channels=in_channels, blocks_down=blocks)
    with_small_batches(network)
    return Backbone(SegResNetDSEncoder(network, size), SegResNetDSDecoder(network, filters))


SEGRESNET_DS = Architecture(
    "segresnet-ds",
    {
        "tiny": SegResNetSize(8, (1, 1, 1)),
        "base": SegResNetSize(32, (1, 2, 2, 4, 4)),
    },  # base is CT-FM's
    _network,
)
