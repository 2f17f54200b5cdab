"""Swin UNETR's three tasks for any backbone (Tang et al., CVPR 2022)."""

from math import log, log2
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from voxbench.errors import SpecError
from voxbench.toolkit import Backbone, Encoder, Objective, Term, Terms

from voxbench_baselines.objectives.contrast import info_nce
from voxbench_baselines.objectives.distort import gaussian_like
from voxbench_baselines.objectives.pooled import pooled
from voxbench_baselines.objectives.turn import TURNS, Plane, turned, turning_plane

if TYPE_CHECKING:
    from voxbench_baselines.swin_unetr_ssl import SwinUnetrSSL

PLANES: tuple[Plane, ...] = ((1, 2), (0, 1), (0, 2))
"""In which patches are turned: the first with equal sides. The released code turns in the plane of
the last two axes; the paper says, about the z-axis."""
_EMBEDDING = 512
_BLOCKS = 256  # more than it takes to cut out the published share
_SMALLEST, _LARGEST = 0.05, 0.25  # sides of a block, as shares of the patch's
_NARROWEST = 8  # channels of the restoring head


class SwinUnetrSSLObjective(Objective):
    """Two views of each patch, turned and cut out: restore, tell the turn, tell the patch.

    All three read the encoder's coarsest map alone; the decoder is not trained.

    Args:
        backbone: whose encoder is pre-trained.
        channels: of the images.
        options: of the baseline.
    """

    def __init__(self, backbone: Backbone, channels: int, options: "SwinUnetrSSL") -> None:
        super().__init__(backbone)
        self.options = options
        width = 2 * backbone.encoder.channels[-1]
        self.head = RestoringHead(backbone.encoder, channels)
        self.turn = nn.Linear(width, TURNS)
        self.embedding = nn.Linear(width, _EMBEDDING)

    def forward(self, images: Tensor, _labels: Tensor, _labelled: Tensor) -> Terms:
        """Loss of images (b, c, d, h, w), b at least 2."""
        options = self.options
        plane, step = turning_plane(images.shape[2:], PLANES)
        turns = step * torch.randint(TURNS // step, (2 * len(images),), device=images.device)
        views = turned(torch.cat([images, images]), turns, plane)
        coarsest = self.backbone.encoder(cut_out(views, options.cutout))[-1]
        whole = pooled(coarsest)
        restored = self.head(coarsest, views.shape[2:]).float()
        guesses = self.turn(whole).float()
        constant = views.flatten(2).median(2).values.view(*views.shape[:2], 1, 1, 1)
        return {
            "inpainting": Term(
                F.l1_loss(restored, views),
                {"median": (views - constant).abs().mean()},
                weight=options.inpainting,
            ),
            "rotation": Term(
                F.cross_entropy(guesses, turns),
                {"chance": log(TURNS // step)},
                (guesses.argmax(1) == turns).float().mean(),
                step / TURNS,
                options.rotation,
            ),
            "contrast": info_nce(self.embedding(whole), options.temperature, options.contrast),
        }


class RestoringHead(nn.Module):
    """From the encoder's coarsest map back to the image, without skips.

    As published: a convolution that halves the channels, instance norm, leaky ReLU, twice the
    resolution; as often as the encoder halved it.

    Args:
        encoder: whose map it reads.
        channels: of the images.
    """

    def __init__(self, encoder: Encoder, channels: int) -> None:
        super().__init__()
        width = encoder.channels[-1]
        blocks = []
        for _ in range(max(1, round(log2(encoder.strides[-1])))):
            narrow = max(_NARROWEST, width // 2)
            convolution = nn.Conv3d(width, narrow, kernel_size=3, padding=1)
            blocks.append(nn.Sequential(convolution, nn.InstanceNorm3d(narrow), nn.LeakyReLU()))
            width = narrow
        self.blocks = nn.ModuleList(blocks)
        self.out = nn.Conv3d(width, channels, kernel_size=1)

    def forward(self, features: Tensor, shape: torch.Size) -> Tensor:
        """(b, features, …) → (b, c, *shape).

        Raises:
            SpecError: the map has a single voxel.
        """
        coarse = features.shape[2:]
        if coarse.numel() == 1:
            raise SpecError(
                f"patch {tuple(shape)}: swin-unetr-ssl restores it from this network's coarsest "
                "map, which has a single voxel; double an axis of pretraining.patch."
            )
        for number, block in enumerate(self.blocks, start=1):
            progress = number / len(self.blocks)
            sides = zip(coarse, shape, strict=True)
            size = [round(low ** (1 - progress) * high**progress) for low, high in sides]
            features = F.interpolate(block(features), size=size, mode="trilinear")
        restored: Tensor = self.out(features)
        return restored


def cut_out(views: Tensor, most: float) -> Tensor:
    """Fill blocks with noise, then others with what other views have there, as published.

    Args:
        views: (b, c, d, h, w).
        most: of a view's voxels, up to which each of both takes a share drawn evenly.
    """
    cut = torch.where(random_cut(views, most), gaussian_like(views), views)
    others = torch.randint(len(views), (len(views),), device=views.device)
    foreign = others != torch.arange(len(views), device=views.device)
    taken = random_cut(views, most) & foreign.view(-1, 1, 1, 1, 1)
    return torch.where(taken, cut[others], cut)


def random_cut(views: Tensor, most: float) -> Tensor:
    """A mask of blocks, a twentieth to a quarter of each side wide: bool (b, 1, d, h, w).

    Blocks are added until their volumes sum up to the share that was drawn for the view, so that
    where they overlap less is covered.
    """
    batch, device, shape = len(views), views.device, views.shape[2:]
    volumes = torch.ones(batch, _BLOCKS, device=device)
    along = []
    for side in shape:
        least = max(1, int(_SMALLEST * side))
        widths = torch.randint(
            least, max(least + 1, int(_LARGEST * side)), (batch, _BLOCKS), device=device
        )
        start = torch.randint(side - least + 1, (batch, _BLOCKS), device=device)
        stop = (start + widths).clamp_max(side)
        places = torch.arange(side, device=device)
        along.append((places >= start.unsqueeze(2)) & (places < stop.unsqueeze(2)))
        volumes = volumes * (stop - start)
    goal = most * torch.rand(batch, 1, device=device) * shape.numel()
    used = volumes.cumsum(1) - volumes < goal
    first, second, third = (mask.to(views.dtype) for mask in along)
    count = torch.einsum("bn,bnd,bnh,bnw->bdhw", used.to(views.dtype), first, second, third)
    return count.unsqueeze(1) > 0
