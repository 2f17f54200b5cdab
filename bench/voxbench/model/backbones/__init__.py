"""Networks, one architecture a file.

A file ends with its `Architecture`: a name, sizes, and how a network of a size is made. Encoders
without a decoder of their own all get the same one (`decoder.py`), so that arms differ in the
encoder alone.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from voxbench.api.architecture import Architecture
from voxbench.errors import SpecError, unknown
from voxbench.model.backbones.allconv import ALLCONV_UNET
from voxbench.model.backbones.backbone import Backbone
from voxbench.model.backbones.dodnet import DODNET
from voxbench.model.backbones.efficientnet import EFFICIENTNET_LITE0
from voxbench.model.backbones.hippodeep import HIPPODEEP
from voxbench.model.backbones.i3d_resnet import I3D_RESNET
from voxbench.model.backbones.linknet import LINKNET
from voxbench.model.backbones.medicalnet import MEDICALNET
from voxbench.model.backbones.mit import MIT
from voxbench.model.backbones.primus import PRIMUS
from voxbench.model.backbones.resenc import RESENC_UNET
from voxbench.model.backbones.resnet import RESNET
from voxbench.model.backbones.segresnet import SEGRESNET
from voxbench.model.backbones.segresnet_ds import SEGRESNET_DS
from voxbench.model.backbones.squeezenet import SQUEEZENET
from voxbench.model.backbones.stunet import STUNET
from voxbench.model.backbones.swin import SWIN_UNETR, SWIN_UNETR_DISTINCT
from voxbench.model.backbones.unet import UNET
from voxbench.model.backbones.unet3d import UNET3D

__all__ = ["ARCHITECTURES", "Backbone", "build"]

_ALL: tuple[Architecture[Any], ...] = (
    *(ALLCONV_UNET, DODNET, EFFICIENTNET_LITE0, HIPPODEEP, I3D_RESNET, LINKNET, MEDICALNET, MIT),
    *(PRIMUS, RESENC_UNET, RESNET, SEGRESNET, SEGRESNET_DS, SQUEEZENET, STUNET, SWIN_UNETR),
    *(SWIN_UNETR_DISTINCT, UNET, UNET3D),
)
ARCHITECTURES: Mapping[str, Architecture[Any]] = MappingProxyType({one.name: one for one in _ALL})


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
    return ARCHITECTURES[architecture].build(size, in_channels)
