"""ResNets in 3D with the key names of torchvision's and timm's 2D ones (He et al., 2016)."""

from typing import Literal, NamedTuple

from torch import Tensor, nn

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Encoder, maps_of
from voxbench.model.backbones.decoder import decoded
from voxbench.model.backbones.norm import with_small_batches


class ResNetSize(NamedTuple):
    """Kind of block, blocks a layer, and the shortcut where a layer widens.

    Shortcut A pads with zeros, B projects.
    """

    block: Literal["basic", "bottleneck"]
    layers: tuple[int, int, int, int]
    shortcut: Literal["A", "B"] = "B"


class ResNetEncoder(Encoder):
    """MONAI's ResNet without its classifier; maps at strides 2, 4, 8, 16 and 32.

    Its batch norms know how to train on few patches (`norm.py`), in both arms alike.

    Attributes:
        stem: kernel and stride of the first convolution.
    """

    strides = (2, 4, 8, 16, 32)
    stem = ((7, 7, 7), (2, 2, 2))

    def __init__(self, size: ResNetSize, in_channels: int) -> None:
        from monai.networks.nets import ResNet

        super().__init__()
        network = ResNet(
            block=size.block,
            layers=list(size.layers),
            block_inplanes=[64, 128, 256, 512],
            n_input_channels=in_channels,
            conv1_t_size=self.stem[0],
            conv1_t_stride=self.stem[1],
            feed_forward=False,
            shortcut_type=size.shortcut,
            bias_downsample=False,
        )
        with_small_batches(network)
        widening = 4 if size.block == "bottleneck" else 1
        self.channels = (64, *(widening * width for width in (64, 128, 256, 512)))
        self.stages = [("conv1.", "bn1."), *((f"layer{i}.",) for i in (1, 2, 3, 4))]
        self.conv1: nn.Module = network.conv1
        self.bn1: nn.Module = network.bn1
        self.act: nn.Module = network.act
        self.maxpool: nn.Module = network.maxpool
        self.layer1: nn.Sequential = network.layer1
        self.layer2: nn.Sequential = network.layer2
        self.layer3: nn.Sequential = network.layer3
        self.layer4: nn.Sequential = network.layer4

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        x = self.act(self.bn1(self.conv1(x)))
        levels = (self.layer1, self.layer2, self.layer3, self.layer4)
        return [x, *maps_of(levels, self.maxpool(x))]


RESNET = Architecture(
    "resnet",
    {
        "18": ResNetSize("basic", (2, 2, 2, 2)),
        "34": ResNetSize("basic", (3, 4, 6, 3)),
        "50": ResNetSize("bottleneck", (3, 4, 6, 3)),
        "101": ResNetSize("bottleneck", (3, 4, 23, 3)),
        "152": ResNetSize("bottleneck", (3, 8, 36, 3)),
    },
    lambda size, channels: decoded(ResNetEncoder(size, channels)),
)
