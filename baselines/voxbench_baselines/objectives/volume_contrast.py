"""VoCo for any backbone: where in the volume does a crop lie (Wu et al., CVPR 2024)."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from voxbench.errors import SpecError
from voxbench.toolkit import Backbone, Objective, Term, Terms

from voxbench_baselines.objectives.pooled import pooled

_GRIDS = ((4, 4, 1), (2, 2, 2), (2, 2, 1), (2, 1, 2), (1, 2, 2), (2, 1, 1), (1, 2, 1), (1, 1, 2))
_EMBEDDING = 256
_SURE = 1e-6  # keeps log(1 - |y - s|) finite


class CropGrid(NamedTuple):
    """Base crops side by side: how many along each axis, and voxels of each."""

    grid: tuple[int, int, int]
    crop: tuple[int, int, int]


class VolumeContrastObjective(Objective):
    """Cut a patch into base crops; tell by similarity how much of each a random crop holds.

    The encoder alone is trained. Published volumes are cut 4 by 4 in the plane; see `crop_grid` for
    what small patches are cut into.

    Args:
        backbone: whose encoder is pre-trained.
        crops: random crops a patch.
        regularisation: weight of the term that pushes base crops apart.
    """

    def __init__(self, backbone: Backbone, crops: int, regularisation: float) -> None:
        super().__init__(backbone)
        self.crops = crops
        self.regularisation = regularisation
        width = 2 * backbone.encoder.channels[-1]
        self.projector = nn.Sequential(
            nn.Linear(width, _EMBEDDING), nn.ReLU(), nn.Linear(_EMBEDDING, _EMBEDDING)
        )

    def forward(self, images: Tensor, _labels: Tensor, _labelled: Tensor) -> Terms:
        """Loss of images (b, c, d, h, w).

        Raises:
            SpecError: the patch is too small to be cut.
        """
        cut = crop_grid(images.shape[2:], self.backbone)
        starts = random_starts(len(images), self.crops, cut, images.device)
        pieces = torch.cat([base_crops(images, cut), crops_at(images, starts, cut.crop)])
        vectors = self.projector(pooled(self.backbone.encoder(pieces)[-1])).float()
        vectors = F.normalize(vectors, dim=1)
        randoms = vectors[-len(images) * self.crops :].view(len(images), self.crops, -1)
        bases = vectors[: -len(images) * self.crops].view(len(images), -1, _EMBEDDING)
        similar = torch.relu(randoms @ bases.mT)
        wrong = (crop_overlaps(starts, cut) - similar).abs()
        prediction = -torch.log((1 - wrong).clamp_min(_SURE)).mean()
        return {
            "prediction": Term(prediction),
            "bases": Term(alikeness(bases), weight=self.regularisation),
        }


def crop_grid(shape: Sequence[int], backbone: Backbone) -> CropGrid:
    """The first way to cut a patch whose crops the network can be trained on.

    4 by 4 in the plane as published, where every axis of the encoder's coarsest map then has
    two voxels or more; else 2 by 2 by 2 (crops of 16 voxels from a patch of 32 and a network
    of stride 8), else in fewer directions. What a multiple of the network's stride leaves over
    at the patch's far end is not used.

    Raises:
        SpecError: no cut is possible.
    """
    for grid in _GRIDS:
        sides = [side // count for side, count in zip(shape, grid, strict=True)]
        crop = tuple(side // backbone.divisor * backbone.divisor for side in sides)
        if max(grid) > 2 and min(crop) < 2 * backbone.divisor:
            continue
        try:
            backbone.check_patch(crop)
        except SpecError:
            continue
        return CropGrid(grid, (crop[0], crop[1], crop[2]))
    raise SpecError(
        f"patch {tuple(shape)}: volume contrast cuts it into crops, too small for this network; "
        f"make every axis of pretraining.patch at least {2 * backbone.divisor} voxels."
    )


def base_crops(images: Tensor, cut: CropGrid) -> Tensor:
    """The base crops of each image, (b · bases, c, *crop), an image's in the grid's order."""
    (i, j, k), (d, h, w) = cut
    batch, channels = images.shape[:2]
    tiles = images[:, :, : i * d, : j * h, : k * w].reshape(batch, channels, i, d, j, h, k, w)
    return tiles.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(-1, channels, d, h, w)


def random_starts(batch: int, crops: int, cut: CropGrid, device: torch.device) -> Tensor:
    """First voxels of crops anywhere within the base crops: (b, crops, 3)."""
    room = [(count - 1) * side + 1 for count, side in zip(*cut, strict=True)]
    share = torch.rand(batch, crops, 3, device=device)
    return (share * torch.tensor(room, device=device)).long()


def crops_at(images: Tensor, starts: Tensor, crop: Sequence[int]) -> Tensor:
    """The crops that begin at `starts` (b, crops, 3): (b · crops, c, *crop)."""
    batch, crops = starts.shape[:2]
    image = torch.arange(batch, device=images.device).repeat_interleave(crops)
    x, y, z = (
        starts[..., axis].reshape(-1, 1) + torch.arange(side, device=images.device)
        for axis, side in enumerate(crop)
    )
    voxels = images.permute(0, 2, 3, 4, 1)[
        image.view(-1, 1, 1, 1), x[:, :, None, None], y[:, None, :, None], z[:, None, None, :]
    ]
    return voxels.permute(0, 4, 1, 2, 3).contiguous()


def crop_overlaps(starts: Tensor, cut: CropGrid) -> Tensor:
    """The share of each random crop that lies in each base crop: (b, crops, bases), sums to 1."""
    shares = torch.ones(*starts.shape[:2], 1, device=starts.device)
    for axis, (count, side) in enumerate(zip(*cut, strict=True)):
        bases = side * torch.arange(count, device=starts.device)
        apart = (starts[..., axis, None] - bases).abs()
        along = (side - apart).clamp_min(0) / side
        shares = (shares.unsqueeze(3) * along.unsqueeze(2)).flatten(2)
    return shares


def alikeness(bases: Tensor) -> Tensor:
    """Mean absolute cosine of the pairs of one image's base crops; bases (b, n, features)."""
    count = bases.shape[1]
    pairs = torch.triu_indices(count, count, offset=1, device=bases.device)
    return (bases @ bases.mT).abs()[:, pairs[0], pairs[1]].mean()
