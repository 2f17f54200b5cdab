"""MONAI's Swin UNETR as it was up to 1.4, when all published weights were trained."""

import torch
from monai.networks.nets import PatchMergingV2, SwinUNETR

TAKEN = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 0), (0, 0, 1), (1, 1, 1))


class OldMerging(PatchMergingV2):
    """Two of a cube's neighbours twice, two never. Every axis is even."""

    def forward(self, x):
        b, d, h, w, c = x.shape
        cubes = x.reshape(b, d // 2, 2, h // 2, 2, w // 2, 2, c)
        merged = torch.cat([cubes[:, :, i, :, j, :, k] for i, j, k in TAKEN], -1)
        return self.reduction(self.norm(merged))


def published_swin(**settings) -> SwinUNETR:
    """Of MONAI 1.4, randomly initialised."""
    return SwinUNETR(in_channels=1, downsample=OldMerging, **settings)
