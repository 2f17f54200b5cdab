"""Masked autoencoding for any backbone (He et al., CVPR 2022; Xie et al., SimMIM, CVPR 2022)."""

from math import ceil

import torch
from torch import Tensor, nn
from voxbench.toolkit import Backbone, Objective, Term, Terms


class MaskedAutoencoderObjective(Objective):
    """Hide random cubes, predict their intensities from what is left.

    Convolutions see the whole patch, so hidden voxels are overwritten by a learned value, as
    in SimMIM, and the loss counts them alone.

    Args:
        backbone: what is pre-trained, encoder and decoder.
        channels: of the images.
        ratio: share of the cubes that is hidden.
        cube: voxels along a cube's side.
    """

    def __init__(self, backbone: Backbone, channels: int, ratio: float, cube: int) -> None:
        super().__init__(backbone)
        self.ratio = ratio
        self.cube = cube
        self.token = nn.Parameter(torch.zeros(1, channels, 1, 1, 1))
        self.head = nn.Conv3d(backbone.out_channels, channels, kernel_size=1)

    def forward(self, images: Tensor, _labels: Tensor, _labelled: Tensor) -> Terms:
        """Mean squared error over the hidden voxels of images (b, c, d, h, w)."""
        hidden = hidden_cubes(images, self.ratio, self.cube)
        predicted = self.head(self.backbone(torch.where(hidden, self.token, images)))
        error = (predicted.float() - images).square() * hidden
        return {"reconstruction": Term(error.sum() / (hidden.sum() * images.shape[1]))}


def hidden_cubes(images: Tensor, ratio: float, cube: int) -> Tensor:
    """A mask (b, 1, d, h, w) that is True in the same number of random cubes of each image."""
    batch, _, *shape = images.shape
    counts = [ceil(size / cube) for size in shape]
    cubes = counts[0] * counts[1] * counts[2]
    order = torch.rand(batch, cubes, device=images.device).argsort(dim=1).argsort(dim=1)
    mask = (order < max(1, round(ratio * cubes))).view(batch, 1, *counts)
    for axis, size in enumerate(shape, start=2):
        mask = mask.repeat_interleave(cube, dim=axis).narrow(axis, 0, size)
    return mask
