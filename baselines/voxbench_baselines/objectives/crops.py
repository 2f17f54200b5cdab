"""Crops of patches, many at once."""

from collections.abc import Sequence

import torch
from torch import Tensor


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
