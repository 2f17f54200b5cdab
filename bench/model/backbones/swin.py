"""Swin UNETR (Hatamizadeh et al., 2022), MONAI's first version, with published key names."""

from typing import Any

from torch import Tensor, nn

from bench.model.backbones.backbone import Backbone, Decoder, Encoder

SIZES = {"tiny": 12, "small": 24, "base": 48}

_SKIPS = ("encoder1", "encoder2", "encoder3", "encoder4")
_DECODERS = ("decoder5", "decoder4", "decoder3", "decoder2", "decoder1")


def build(size: str, in_channels: int) -> Backbone:
    """Swin UNETR of a feature size: 12, 24 or 48."""
    from monai.networks.nets import SwinUNETR

    network = SwinUNETR(in_channels=in_channels, out_channels=1, feature_size=SIZES[size])
    return Backbone(SwinEncoder(network, SIZES[size]), SwinDecoder(network, SIZES[size]))


class SwinEncoder(Encoder):
    """The transformer `swinViT` and the convolutional skips `encoder1…4`, `encoder10`."""

    bottleneck = 2

    def __init__(self, network: Any, width: int) -> None:
        super().__init__()
        self.channels = (width, width, 2 * width, 4 * width, 8 * width, 16 * width)
        self.strides = (1, 2, 4, 8, 16, 32)
        self.swinViT: nn.Module = network.swinViT
        self.skips = _SKIPS
        for name in (*_SKIPS, "encoder10"):
            self.add_module(name, getattr(network, name))
        self.stages = [("swinViT.patch_embed.", "encoder1.", "encoder2.")]
        self.stages += [(f"swinViT.layers{i}.", f"encoder{i + 2}.") for i in (1, 2)]
        self.stages += [("swinViT.layers3.",), ("swinViT.layers4.", "encoder10.")]

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        hidden = self.swinViT(x, True)
        inputs = [x, *hidden[:3]]
        skips = [self.get_submodule(name)(y) for name, y in zip(self.skips, inputs, strict=True)]
        return [*skips, hidden[3], self.get_submodule("encoder10")(hidden[4])]


class SwinDecoder(Decoder):
    """The residual blocks `decoder5…1`."""

    def __init__(self, network: Any, width: int) -> None:
        super().__init__()
        self.out_channels = width
        self.stages = [(f"{name}.",) for name in _DECODERS]
        for name in _DECODERS:
            self.add_module(name, getattr(network, name))

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps, finest first → features at the image's resolution."""
        *skips, x = maps
        for name, skip in zip(_DECODERS, reversed(skips), strict=True):
            x = self.get_submodule(name)(x, skip)
        return x
