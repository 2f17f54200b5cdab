"""A probe for networks that carry batch norm: do images look like those it was trained on?"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

    from voxbench.model.backbones import Backbone


def mismatch(backbone: "Backbone", images: "Tensor") -> float:
    """How far the statistics of `images` are from those the network's batch norms remember.

    For each batch norm, the Kullback-Leibler divergence from the remembered Gaussian of each
    channel to the batch's, averaged over channels; then the mean over the norms. Images given
    as they were in training (orientation, spacing, intensities) come out lower than the same
    images given otherwise. It compares contracts on the same images; its value alone says
    little, as other anatomy also moves it. Norms see what the network makes of the images in
    evaluation mode; nothing is changed.

    Args:
        backbone: with loaded weights.
        images: (b, c, d, h, w).

    Returns:
        At least 0, in nats.

    Raises:
        ValueError: the backbone has no batch norm with running statistics.
    """
    import torch
    from torch import nn

    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm3d)]
    norms = [m for m in norms if m.running_mean is not None]
    if not norms:
        raise ValueError("no batch norm with running statistics: this network can't be probed so.")
    found: list[float] = []
    hooks = [m.register_forward_pre_hook(lambda m, x: found.append(_kl(m, x[0]))) for m in norms]
    training = backbone.training
    backbone.eval()
    try:
        with torch.no_grad():
            backbone(images)
    finally:
        backbone.train(training)
        for hook in hooks:
            hook.remove()
    return sum(found) / len(found)


def _kl(norm: "nn.BatchNorm3d", x: "Tensor") -> float:
    """Mean over channels of KL(batch ‖ remembered), both taken as Gaussians."""
    import torch

    known_mean, known_var = norm.running_mean, norm.running_var
    assert known_mean is not None and known_var is not None  # noqa: PT018, S101 (they are tracked)
    var, mean = torch.var_mean(x.double(), dim=(0, 2, 3, 4), correction=0)
    var, known = var + norm.eps, known_var.double() + norm.eps
    apart = (mean - known_mean.double()).square()
    nats = (known.log() - var.log() + (var + apart) / known - 1) / 2
    return float(nats.mean())
