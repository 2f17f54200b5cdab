"""Masked autoencoding for any backbone (He et al., CVPR 2022; Xie et al., SimMIM, CVPR 2022)."""

from math import prod

import torch
from torch import Tensor, nn
from voxbench.toolkit import WHOLE, Backbone, Objective, Share, Term, Terms

from voxbench_baselines.masked_autoencoder import Cube, count_cubes, sides


class MaskedAutoencoderObjective(Objective):
    """Hide random cubes, predict their intensities from what is left.

    Convolutions see the whole patch, so hidden voxels are overwritten by a learned value, as
    in SimMIM, and the loss counts them alone.

    Args:
        backbone: what is pre-trained, encoder and decoder.
        channels: of the images.
        ratio: share of the cubes that is hidden.
        cube: voxels along a cube's side, or along each.
    """

    def __init__(self, backbone: Backbone, channels: int, ratio: float, cube: Cube) -> None:
        super().__init__(backbone)
        self.ratio = ratio
        self.cube = cube
        self.token = nn.Parameter(torch.zeros(1, channels, 1, 1, 1))
        self.head = nn.Conv3d(backbone.out_channels, channels, kernel_size=1)

    def forward(
        self, images: Tensor, _labels: Tensor, _labelled: Tensor, share: Share = WHOLE
    ) -> Terms:
        """Mean squared error over the hidden voxels of images (b, c, d, h, w)."""
        batch = images[:1].expand(len(images) * share.parts, -1, -1, -1, -1)
        drawn = hidden_cubes(batch, self.ratio, self.cube)
        hidden = share.rows(lambda _: drawn, len(images))
        count = drawn.sum() / share.parts
        predicted = self.head(self.backbone(torch.where(hidden, self.token, images)))
        mean = visible_mean(images, hidden)
        return {
            "reconstruction": Term(
                hidden_error(predicted.float(), images, hidden, count),
                {"mean of the visible": hidden_error(mean, images, hidden, count)},
            )
        }


def hidden_error(predicted: Tensor, images: Tensor, hidden: Tensor, count: Tensor) -> Tensor:
    """Mean squared error where `hidden` (b, 1, d, h, w), `count` of whose voxels are."""
    error = (predicted - images).square() * hidden
    return error.sum() / (count * images.shape[1])


def visible_mean(images: Tensor, hidden: Tensor) -> Tensor:
    """What is seen of each channel of each image, on average: (b, c, 1, 1, 1)."""
    seen = ~hidden
    return (images * seen).sum((2, 3, 4), True) / seen.sum((2, 3, 4), True)


def hidden_cubes(images: Tensor, ratio: float, cube: Cube) -> Tensor:
    """A mask (b, 1, d, h, w) that is True in the same number of random cubes of each image."""
    batch, _, *shape = images.shape
    counts, hidden = count_cubes(shape, ratio, cube)
    order = torch.rand(batch, prod(counts), device=images.device).argsort(dim=1).argsort(dim=1)
    mask = (order < hidden).view(batch, 1, *counts)
    for axis, (size, side) in enumerate(zip(shape, sides(cube), strict=True), start=2):
        mask = mask.repeat_interleave(side, dim=axis).narrow(axis, 0, size)
    return mask
