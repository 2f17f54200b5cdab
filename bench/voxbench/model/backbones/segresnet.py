"""SegResNet (Myronenko, 2018), MONAI's, with its own decoder and published key names."""

from typing import Any, NamedTuple

from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder, maps_of


class SegResNetSize(NamedTuple):
    """Channels of the first level and residual blocks a level."""

    filters: int
    blocks: tuple[int, ...]


class SegResNetEncoder(Encoder):
    """The way down: `convInit`, `down_layers`."""

    def __init__(self, network: Any, size: SegResNetSize) -> None:
        super().__init__()
        levels = range(len(size.blocks))
        self.channels = tuple(size.filters * 2**level for level in levels)
        self.strides = tuple(2**level for level in levels)
        self.stages = [("convInit.",), *((f"down_layers.{level}.",) for level in levels)]
        self.convInit: nn.Module = network.convInit
        self.down_layers: nn.ModuleList = network.down_layers

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        return maps_of(self.down_layers, self.convInit(x))


class SegResNetDecoder(Decoder):
    """The way up: `up_samples`, `up_layers`, and norm and activation of `conv_final`."""

    def __init__(self, network: Any, size: SegResNetSize) -> None:
        super().__init__()
        self.out_channels = size.filters
        self.up_samples: nn.ModuleList = network.up_samples
        self.up_layers: nn.ModuleList = network.up_layers
        self.conv_final: nn.Sequential = network.conv_final[:2]
        self.stages = [(f"up_samples.{i}.", f"up_layers.{i}.") for i in range(len(self.up_layers))]
        self.stages[-1] += ("conv_final.",)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        *skips, x = maps
        for up, layer, skip in zip(self.up_samples, self.up_layers, reversed(skips), strict=True):
            x = layer(up(x) + skip)
        finished: Tensor = self.conv_final(x)
        return finished


def _network(size: SegResNetSize, in_channels: int) -> Backbone:
    from monai.networks.nets import SegResNet

    network = SegResNet(
        init_filters=size.filters,
        in_channels=in_channels,
        blocks_down=size.blocks,
        blocks_up=(1,) * (len(size.blocks) - 1),
    )
    return Backbone(SegResNetEncoder(network, size), SegResNetDecoder(network, size))


SEGRESNET = Architecture(
    "segresnet",
    {
        "tiny": SegResNetSize(8, (1, 1, 1)),
        "small": SegResNetSize(16, (1, 2, 2, 4)),  # whose weights SuPreM publishes
        "base": SegResNetSize(32, (1, 2, 2, 4)),
    },
    _network,
)
