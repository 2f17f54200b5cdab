"""Swin UNETR's three tasks for any backbone (Tang et al., CVPR 2022)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from voxbench.toolkit import Backbone, Objective, Term, Terms

from voxbench_baselines.objectives.distort import noise_like
from voxbench_baselines.objectives.masked import hidden_cubes
from voxbench_baselines.objectives.pooled import pooled

_TURNS = 4  # by 0°, 90°, 180°, 270°
_EMBEDDING = 512


class SwinUnetrSSLObjective(Objective):
    """Two views of each patch, turned and cut out: restore, tell the turn, tell the patch.

    The loss is the plain sum of the mean absolute error, the cross-entropy of the turn, and the
    contrast of the views. A view loses cubes, a quarter of the shortest side wide, to noise; the
    published cutout draws its boxes anywhere, up to the same share.

    Args:
        backbone: what is pre-trained; the encoder's coarsest map serves turn and contrast.
        channels: of the images.
        cutout: share of the cubes that a view loses.
        temperature: of the contrast.
    """

    def __init__(
        self, backbone: Backbone, channels: int, cutout: float, temperature: float
    ) -> None:
        super().__init__(backbone)
        self.cutout = cutout
        self.temperature = temperature
        width = 2 * backbone.encoder.channels[-1]
        self.head = nn.Conv3d(backbone.out_channels, channels, kernel_size=1)
        self.turn = nn.Linear(width, _TURNS)
        self.embedding = nn.Linear(width, _EMBEDDING)

    def forward(self, images: Tensor, _labels: Tensor, _labelled: Tensor) -> Terms:
        """Loss of images (b, c, d, h, w), b at least 2 for the contrast to mean anything."""
        first, second = randomly_turned(images), randomly_turned(images)
        views = torch.cat([first[0], second[0]])
        turns = torch.cat([first[1], second[1]])
        maps = self.backbone.encoder(self._cut(views))
        whole = pooled(maps[-1])
        restored = self.head(self.backbone.decoder(maps))
        inpainting = F.l1_loss(restored.float(), views)
        rotation = F.cross_entropy(self.turn(whole).float(), turns)
        contrast = info_nce(self.embedding(whole).float(), self.temperature)
        return {
            "inpainting": Term(inpainting),
            "rotation": Term(rotation),
            "contrast": Term(contrast),
        }

    def _cut(self, views: Tensor) -> Tensor:
        cube = max(1, min(views.shape[2:]) // 4)
        return torch.where(hidden_cubes(views, self.cutout, cube), noise_like(views), views)


def randomly_turned(images: Tensor) -> tuple[Tensor, Tensor]:
    """Turn each image (b, c, d, h, w) about one axis: the images and their turns (b,), 0…3.

    The plane is that of the first two axes if they are equally long, as published, else that of
    another equal pair; where all three differ, the turns are those by 0° and 180° alone.
    """
    plane, step = turning_plane(images.shape[2:])
    turns = step * torch.randint(_TURNS // step, (len(images),), device=images.device)
    result = images
    for turn in range(step, _TURNS, step):
        chosen = (turns == turn).view(-1, 1, 1, 1, 1)
        result = torch.where(chosen, torch.rot90(images, turn, plane), result)
    return result, turns


def turning_plane(shape: Sequence[int]) -> tuple[tuple[int, int], int]:
    """Dimensions (of b, c, d, h, w) to turn in, and quarter turns a step: 1, or 2 for 180°."""
    for first, second in ((0, 1), (1, 2), (0, 2)):
        if shape[first] == shape[second]:
            return (first + 2, second + 2), 1
    return (2, 3), 2


def info_nce(embeddings: Tensor, temperature: float) -> Tensor:
    """Contrast of two views (Chen et al., SimCLR, 2020): rows i and i + b are of one patch.

    Args:
        embeddings: (2·b, features), of any length.
        temperature: divides the cosine similarities.
    """
    count = len(embeddings)
    unit = F.normalize(embeddings, dim=1)
    own = torch.eye(count, dtype=torch.bool, device=unit.device)
    similar = (unit @ unit.T / temperature).masked_fill(own, float("-inf"))
    partner = torch.arange(count, device=unit.device).roll(count // 2)
    return F.cross_entropy(similar, partner)
