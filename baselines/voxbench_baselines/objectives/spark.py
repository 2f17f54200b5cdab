"""SparK for any convolutional backbone (Tian et al., ICLR 2023)."""

from math import prod

import torch
from torch import Tensor, nn
from voxbench.errors import SpecError
from voxbench.toolkit import Backbone, Objective, Term, Terms

from voxbench_baselines.masked_autoencoder import count_cubes
from voxbench_baselines.objectives.masked import hidden_cubes, hidden_error, visible_mean
from voxbench_baselines.objectives.sparse import check_convolutional, enlarged, sparsely

_FEWEST = 2  # voxels of a map that an instance norm takes its statistics from


class SparKObjective(Objective):
    """Encode what is seen as sparse, fill the maps up with tokens, decode the image.

    Args:
        backbone: what is pre-trained, encoder and decoder.
        channels: of the images.
        ratio: share of the cubes that is hidden.

    Raises:
        SpecError: the encoder is not convolutional.
    """

    def __init__(self, backbone: Backbone, channels: int, ratio: float) -> None:
        super().__init__(backbone)
        check_convolutional(backbone.encoder)
        self.ratio = ratio
        *finer, coarsest = backbone.encoder.channels
        fills = [Densify(width, nn.Conv3d(width, width, 3, padding=1)) for width in finer]
        self.fills = nn.ModuleList([*fills, Densify(coarsest, nn.Identity())])
        self.head = nn.Conv3d(backbone.out_channels, channels, kernel_size=1)

    def forward(self, images: Tensor, _labels: Tensor, _labelled: Tensor) -> Terms:
        """Mean squared error over the hidden voxels of images (b, c, d, h, w).

        Raises:
            SpecError: too little of the patch is seen for the network to be trained on it.
        """
        seen = self.seen_cells(images)
        shown = enlarged(seen, images.shape[2:])
        maps = [
            fill(features, enlarged(seen, features.shape[2:]))
            for fill, features in zip(self.fills, self.encode(images * shown, seen), strict=True)
        ]
        predicted = self.head(self.backbone.decoder(maps)).float()
        hidden = ~shown
        mean, count = visible_mean(images, hidden), hidden.sum()
        return {
            "reconstruction": Term(
                hidden_error(predicted, images, hidden, count),
                {"mean of the visible": hidden_error(mean, images, hidden, count)},
            )
        }

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def encode(self, images: Tensor, seen: Tensor) -> list[Tensor]:
        """The encoder's maps of what is seen, 0 elsewhere."""
        with sparsely(self.backbone.encoder, seen):
            maps: list[Tensor] = self.backbone.encoder(images)
        return maps

    def seen_cells(self, images: Tensor) -> Tensor:
        """Which voxels of the coarsest map are seen: bool (b, 1, …), as many in each image."""
        sides = zip(images.shape[2:], self.backbone.multiples, strict=True)
        cells = [side // n for side, n in sides]
        _, hidden = count_cubes(cells, self.ratio, 1)
        if prod(cells) - hidden < max(_FEWEST, self.backbone.encoder.bottleneck):
            raise SpecError(
                f"patch {tuple(images.shape[2:])}: spark hides {hidden} of {prod(cells)} voxels of "
                "this network's coarsest map, and too few are left to train on; make "
                "pretraining.patch larger or `ratio` smaller."
            )
        return ~hidden_cubes(images.new_zeros(len(images), 1, *cells), self.ratio, 1)


class Densify(nn.Module):
    """Norm what is seen of a map, put a learned token where nothing is, and project.

    Args:
        width: channels of the map.
        projection: from and to as many.
    """

    def __init__(self, width: int, projection: nn.Module) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm3d(width)
        self.token = nn.Parameter(torch.zeros(1, width, 1, 1, 1))
        nn.init.trunc_normal_(self.token, std=0.02)
        self.projection = projection

    def forward(self, features: Tensor, seen: Tensor) -> Tensor:
        """A map (b, width, …), with what of it is seen (b, 1, …), filled up."""
        with sparsely(self.norm, seen):
            normed = self.norm(features)
        filled: Tensor = self.projection(torch.where(seen, normed, self.token))
        return filled
