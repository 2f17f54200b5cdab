"""Batch norm for networks that come with its statistics, on batches of a few patches."""

import torch
from torch import Tensor, nn

_PRIOR = 256  # voxels that the running statistics count for


class SmallBatchNorm3d(nn.BatchNorm3d):
    """In evaluation batch norm; in training its statistics are blended with the running ones.

    The running statistics count as `_PRIOR` voxels beside those of the batch (the covariate-shift
    adaptation of Schneider et al., NeurIPS 2020): fine maps are normalised by the batch, the
    coarsest, with a voxel or two a patch, by what was seen before. A norm whose weight is frozen
    keeps its statistics.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, d, h, w), normalised."""
        mean, var = self.running_mean, self.running_var
        assert mean is not None and var is not None  # noqa: PT018, S101 (they are tracked)
        if self.training and self.weight.requires_grad:
            mean, var = self._blended(x.float(), mean, var)
        scale = self.weight * torch.rsqrt(var + self.eps)
        shift = self.bias - mean * scale
        shape = (1, -1, 1, 1, 1)
        return x * scale.view(shape).to(x.dtype) + shift.view(shape).to(x.dtype)

    def _blended(self, x: Tensor, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
        batch_var, batch_mean = torch.var_mean(x, dim=(0, 2, 3, 4), correction=0)
        voxels = x.numel() / x.shape[1]
        share = voxels / (voxels + _PRIOR)
        blended_mean = torch.lerp(mean, batch_mean, share)
        spread = share * (1 - share) * (batch_mean - mean).square()
        blended_var = torch.lerp(var, batch_var, share) + spread
        with torch.no_grad():
            mean.lerp_(batch_mean, self.momentum or 0.1)
            var.lerp_(batch_var, self.momentum or 0.1)
        return blended_mean, blended_var


def with_small_batches(module: nn.Module) -> None:
    """Replace the fresh batch norms below a module."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm3d):
            setattr(module, name, SmallBatchNorm3d(child.num_features, eps=child.eps))
        else:
            with_small_batches(child)
