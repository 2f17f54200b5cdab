"""Quarter turns and mirrorings of patches, exact and without interpolation."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from voxbench.toolkit import WHOLE, Share

from voxbench_baselines.objectives.distort import happens

TURNS = 4  # by 0°, 90°, 180°, 270°
Plane = tuple[int, int]  # two of the axes 0, 1, 2


def turned(images: Tensor, turns: Tensor, plane: Plane) -> Tensor:
    """Turn each of (b, …, d, h, w) by so many quarters in a plane; odd ones need equal sides."""
    dims = plane[0] - 3, plane[1] - 3
    result = images
    for quarter in range(1, TURNS):
        if (chosen := turns == quarter).any():
            chosen = chosen.view(-1, *[1] * (images.ndim - 1))
            result = torch.where(chosen, torch.rot90(images, quarter, dims), result)
    return result


def turning_plane(shape: Sequence[int], planes: Iterable[Plane]) -> tuple[Plane, int]:
    """The first plane with equal sides, and quarters a step: 1.

    Where there is none, the first plane, and 2: only half turns keep the shape.
    """
    known = list(planes)
    for plane in known:
        if shape[plane[0]] == shape[plane[1]]:
            return plane, 1
    return known[0], 2


def random_turns(images: Tensor, probability: float, share: Share = WHOLE) -> tuple[Tensor, Plane]:
    """Turns in the plane of the first two axes, as MONAI's `RandRotate90d(max_k=3)` draws them.

    Args:
        images: (b, c, d, h, w), for the shape.
        probability: of one to three quarters; of two alone where the sides differ.
        share: of the batch.

    Returns:
        Quarters for each patch (b,), and the plane.
    """
    plane, step = turning_plane(images.shape[2:], [(0, 1)])
    batch, device = len(images), images.device
    turning = happens(batch, probability, device, share).flatten()
    quarters = share.rows(lambda n: torch.randint(1, TURNS // step, (n,), device=device), batch)
    return step * quarters * turning, plane


def reoriented(images: Tensor, mirrored: float, turning: float) -> Tensor:
    """Mirror each of (b, c, d, h, w) along each axis, then turn it, with these probabilities."""
    for axis in (2, 3, 4):
        chosen = happens(len(images), mirrored, images.device)
        images = torch.where(chosen, images.flip(axis), images)
    return turned(images, *random_turns(images, turning))
