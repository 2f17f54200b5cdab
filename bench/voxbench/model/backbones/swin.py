"""Swin UNETR (Hatamizadeh et al., 2022), MONAI's, with published key names.

The second version puts a residual convolution before every stage (He et al., MICCAI 2023). Patches
are merged as all published weights were trained, see `patch_merging`; `swin-unetr-distinct` is the
same network with the eight distinct neighbours.
"""

from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.backbone import Backbone, Decoder, Encoder
from voxbench.model.backbones.patch_merging import DISTINCT, PUBLISHED, PatchMerging, Slices


class _Size(NamedTuple):
    """Feature size, and whether it is the second version."""

    width: int
    v2: bool = False


_SKIPS = ("encoder1", "encoder2", "encoder3", "encoder4")
_DECODERS = ("decoder5", "decoder4", "decoder3", "decoder2", "decoder1")


class _Numbers(TorchFunctionMode):
    """Gives `torch.linspace` values on the meta device too: MONAI reads its rates from them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The function, on the CPU if it is `torch.linspace`."""
        placed = {"device": "cpu"} if func is torch.linspace else {}
        return func(*args, **{**(kwargs or {}), **placed})


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
        self.stages += [(f"swinViT.layers{i}", f"encoder{i + 2}.") for i in (1, 2)]
        self.stages += [("swinViT.layers3",), ("swinViT.layers4", "encoder10.")]

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


def _merging(slices: Slices, size: _Size, in_channels: int) -> Backbone:
    """Swin UNETR that halves its maps by these slices; on the meta device without memory."""
    from monai.networks.nets import SwinUNETR

    with _Numbers():
        network = SwinUNETR(
            in_channels=in_channels,
            out_channels=1,
            feature_size=size.width,
            downsample=partial(PatchMerging, slices),
            use_v2=size.v2,
        )
    return Backbone(SwinEncoder(network, size.width), SwinDecoder(network, size.width))


_SIZES = {
    "tiny": _Size(12),
    "small": _Size(24),
    "base": _Size(48),
    "tiny-v2": _Size(12, v2=True),
    "base-v2": _Size(48, v2=True),
    "large-v2": _Size(96, v2=True),
    "huge-v2": _Size(192, v2=True),
}
SWIN_UNETR = Architecture("swin-unetr", _SIZES, partial(_merging, PUBLISHED))
SWIN_UNETR_DISTINCT = Architecture("swin-unetr-distinct", _SIZES, partial(_merging, DISTINCT))
"""As MONAI's is since 1.5; no published weights fit it. For what is pre-trained here, and its twin.
"""
