"""How Swin UNETR halves a map: neighbours become channels, which a linear layer reduces.

MONAI's `PatchMerging` took the slices of `PUBLISHED` up to 1.4, a slip (its issue 8284): two
neighbours come twice and two never. Since 1.5 it takes those of `DISTINCT`. All published weights
of Swin UNETR were trained with the former; names and shapes are the same, values are not.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Slices = Sequence[tuple[int, int, int]]

PUBLISHED: Slices = (
    *((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)),
    *((1, 0, 1), (0, 1, 0), (0, 0, 1), (1, 1, 1)),
)
DISTINCT: Slices = (
    *((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)),
    *((1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)),
)


class PatchMerging(nn.Module):
    """Eight slices of a map, normalised and reduced; MONAI's names.

    Args:
        slices: offsets (d, h, w) of the voxels of a 2x2x2 cube, in the order of the channels.
        dim: channels of the map.
        norm_layer: of the eight slices' channels.
        spatial_dims: 3.
    """

    def __init__(
        self, slices: Slices, dim: int, norm_layer: type[nn.LayerNorm], spatial_dims: int
    ) -> None:
        super().__init__()
        assert spatial_dims == len(slices[0])  # noqa: S101 (as MONAI calls it)
        self.slices = slices
        self.reduction = nn.Linear(len(slices) * dim, 2 * dim, bias=False)
        self.norm = norm_layer(len(slices) * dim)

    def forward(self, x: Tensor) -> Tensor:
        """(b, d, h, w, dim) → (b, d / 2, h / 2, w / 2, 2 * dim), rounded up."""
        d, h, w = (side % 2 for side in x.shape[1:4])
        x = F.pad(x, (0, 0, 0, w, 0, h, 0, d))
        merged = torch.cat([x[:, i::2, j::2, k::2] for i, j, k in self.slices], dim=-1)
        reduced: Tensor = self.reduction(self.norm(merged))
        return reduced
