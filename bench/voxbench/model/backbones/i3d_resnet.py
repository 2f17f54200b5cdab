"""Inflated ResNets whose stem is flat (Carreira and Zisserman, 2017), as Merlin has it.

Kernels are as in torchvision, 3 deep where they are 3 or 7 wide; the first convolution strides
within the slice alone.
"""

import torch.nn.functional as F
from torch import Tensor

from voxbench.api.architecture import Architecture
from voxbench.model.backbones.decoder import decoded
from voxbench.model.backbones.resnet import RESNET, ResNetEncoder


class I3DResNetEncoder(ResNetEncoder):
    """Maps at strides 2, 4, 8, 16 and 32 of a volume whose first axis goes through the slices.

    The published network sees slices twice as thick as voxels are wide, and its stem keeps
    them. Here the volume is isotropic and slices are averaged in pairs before the stem.
    """

    stem = ((3, 7, 7), (1, 2, 2))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Image → maps, finest first."""
        return super().forward(F.avg_pool3d(x, (2, 1, 1)))


I3D_RESNET = Architecture(
    "i3d-resnet",
    {depth: RESNET.sizes[depth] for depth in ("18", "152")},
    lambda size, channels: decoded(I3DResNetEncoder(size, channels)),
)
