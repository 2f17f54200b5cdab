"""Networks by architecture and size, one architecture a file.

A file has `SIZES` and `build(size, in_channels)`. Encoders without a decoder of their own all
get the same one (`decoder.py`), so that arms differ in the encoder alone. To add an
architecture, write its file and name it in `_MODULES`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from voxbench.errors import SpecError, unknown
from voxbench.model.backbones import (
    allconv,
    dodnet,
    efficientnet,
    hippodeep,
    i3d_resnet,
    linknet,
    medicalnet,
    mit,
    primus,
    resenc,
    resnet,
    segresnet,
    segresnet_ds,
    squeezenet,
    stunet,
    swin,
    swin_distinct,
    unet,
    unet3d,
)
from voxbench.model.backbones.backbone import Backbone

__all__ = ["ARCHITECTURES", "Backbone", "build"]

_MODULES = {
    "allconv-unet": allconv,
    "dodnet": dodnet,
    "efficientnet-lite0": efficientnet,
    "i3d-resnet": i3d_resnet,
    "medicalnet": medicalnet,
    "hippodeep": hippodeep,
    "linknet": linknet,
    "mit": mit,
    "primus": primus,
    "resenc-unet": resenc,
    "resnet": resnet,
    "segresnet": segresnet,
    "segresnet-ds": segresnet_ds,
    "squeezenet": squeezenet,
    "stunet": stunet,
    "swin-unetr": swin,
    "swin-unetr-distinct": swin_distinct,
    "unet": unet,
    "unet3d": unet3d,
}

ARCHITECTURES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: tuple(module.SIZES) for name, module in _MODULES.items()}
)


def build(architecture: str, size: str, in_channels: int) -> Backbone:
    """A randomly initialised backbone.

    Args:
        architecture: a key of `ARCHITECTURES`.
        size: one of its sizes.
        in_channels: channels of the images.

    Raises:
        SpecError: unknown architecture or size; names the nearest and all.
    """
    if architecture not in ARCHITECTURES:
        raise SpecError(unknown("architecture", architecture, ARCHITECTURES))
    if size not in ARCHITECTURES[architecture]:
        raise SpecError(unknown(f"size of {architecture}", size, ARCHITECTURES[architecture]))
    built: Backbone = _MODULES[architecture].build(size, in_channels)
    return built
