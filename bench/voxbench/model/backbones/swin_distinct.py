"""Swin UNETR that sees all eight neighbours when it halves a map, as MONAI's does since 1.5.

No published weights fit it. It is for what is pre-trained here, and for its scratch twin.
"""

from voxbench.model.backbones.backbone import Backbone
from voxbench.model.backbones.patch_merging import DISTINCT
from voxbench.model.backbones.swin import SIZES as SIZES
from voxbench.model.backbones.swin import merging


def build(size: str, in_channels: int) -> Backbone:
    """Swin UNETR of a size with distinct neighbours; on the meta device without memory."""
    return merging(DISTINCT, size, in_channels)
