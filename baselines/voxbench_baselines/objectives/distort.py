"""Ways to distort a batch of patches (b, c, d, h, w), each patch in its own way.

All draw from torch's generator and never from the data, so that a seed decides them.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from voxbench.toolkit import WHOLE, Share

_CURVE = 512  # points that a Bézier curve is tabulated at
_BLOCKS = 5
_GOES_ON = 0.95  # probability of a further block
_MARGIN = 3  # voxels at the patch's border that no block touches


def shifted(images: Tensor, probability: float, most: float = 0.1, share: Share = WHOLE) -> Tensor:
    """Add a constant of up to `most` of a patch's value range, as `RandShiftIntensity` does.

    The published inputs lie in 0…1, so that their range is 1.
    """
    batch, device = len(images), images.device
    by = (2 * share.rows(lambda n: torch.rand(n, 1, 1, 1, 1, device=device), batch) - 1) * most
    span = value_range(images)[1]
    return images + by * span * happens(batch, probability, device, share)


def happens(batch: int, probability: float, device: torch.device, share: Share = WHOLE) -> Tensor:
    """Which patches something happens to: bool (b, 1, 1, 1, 1)."""
    return share.rows(lambda n: torch.rand(n, 1, 1, 1, 1, device=device), batch) < probability


def flipped_at_random(images: Tensor, probability: float) -> Tensor:
    """Mirror along a random axis, with the same probability again, three times at most."""
    batch, device = len(images), images.device
    again = (torch.rand(batch, 3, device=device) < probability).cumprod(dim=1)
    axes = torch.randint(3, (batch, 3), device=device)
    for axis in range(3):
        odd = ((axes == axis) * again).sum(dim=1) % 2 == 1
        images = torch.where(odd.view(-1, 1, 1, 1, 1), images.flip(axis + 2), images)
    return images


def nonlinear(images: Tensor) -> Tensor:
    """Map intensities through a random monotone Bézier curve; half of the curves fall.

    A curve for each patch and channel, over the range of its own voxels.
    """
    batch, channels = images.shape[:2]
    x, y = bezier(torch.rand(2, batch * channels, 2, device=images.device))
    falls = torch.rand(batch * channels, 1, device=images.device) < 0.5
    y = torch.where(falls, 1 - y, y)
    low, span = value_range(images)
    values = ((images - low) / span).view(batch * channels, -1)
    return interpolated(values, x, y).view_as(images) * span + low


def bezier(controls: Tensor) -> tuple[Tensor, Tensor]:
    """A cubic Bézier curve from (0, 0) to (1, 1), tabulated.

    With inner points inside the unit square both coordinates rise along the curve.

    Args:
        controls: (2, n, 2) of 0…1: x and y of both inner points.

    Returns:
        x and y, (n, points) each.
    """
    t = torch.linspace(0, 1, _CURVE, device=controls.device)
    first, second = controls[..., :1], controls[..., 1:]
    x, y = 3 * (1 - t) ** 2 * t * first + 3 * (1 - t) * t**2 * second + t**3
    return x, y


def interpolated(values: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Linear interpolation of rising tables: values (n, m), x and y (n, points)."""
    right = torch.searchsorted(x, values.contiguous()).clamp(1, x.shape[1] - 1)
    x0, x1 = x.gather(1, right - 1), x.gather(1, right)
    y0, y1 = y.gather(1, right - 1), y.gather(1, right)
    share = ((values - x0) / (x1 - x0).clamp_min(1e-12)).clamp(0, 1)
    return y0 + share * (y1 - y0)


def value_range(images: Tensor) -> tuple[Tensor, Tensor]:
    """Smallest voxel of each patch and channel, and the span up to the largest, never 0."""
    low, high = images.amin((2, 3, 4), True), images.amax((2, 3, 4), True)
    return low, (high - low).clamp_min(1e-6)


def noise_like(images: Tensor) -> Tensor:
    """Uniform noise in the value range of each patch and channel."""
    low, span = value_range(images)
    return torch.rand_like(images) * span + low


def gaussian_like(images: Tensor) -> Tensor:
    """Normal noise stretched to the value range of each patch and channel."""
    low, span = value_range(images)
    noise = torch.randn_like(images)
    least, width = value_range(noise)
    return (noise - least) / width * span + low


def shuffled(images: Tensor) -> Tensor:
    """Permute the voxels within every window of `windows`, all channels alike."""
    shape = images.shape[2:]
    ids = windows(len(images), shape, images.device).flatten(1)
    places = ids.argsort(dim=1, stable=True)  # each window's voxels one after the other
    mixed = torch.rand(ids.shape, device=images.device).argsort(dim=1)
    sources = mixed.gather(1, ids.gather(1, mixed).argsort(dim=1, stable=True))
    order = torch.empty_like(places).scatter(1, places, sources)
    order = order.unsqueeze(1).expand(-1, images.shape[1], -1)
    return images.flatten(2).gather(2, order).view_as(images)


def windows(batch: int, shape: Sequence[int], device: torch.device) -> Tensor:
    """Cut patches into boxes: the number of each voxel's box, (b, d, h, w).

    Along each axis a box is 1 voxel to a tenth of the side wide, as published, and at least
    2 where that would be less; the published windows overlap, these do not.
    """
    ids = torch.zeros(batch, 1, 1, 1, dtype=torch.long, device=device)
    for axis, side in enumerate(shape):
        widths = torch.randint(1, max(2, side // 10) + 1, (batch, side), device=device)
        places = torch.arange(side, device=device).expand(batch, side).contiguous()
        along = torch.searchsorted(widths.cumsum(dim=1), places, right=True)
        view = [batch, 1, 1, 1]
        view[axis + 1] = side
        ids = ids * side + along.view(view)
    return ids


def in_painted(images: Tensor) -> Tensor:
    """Fill up to five blocks, a sixth to a third of a side wide, with noise."""
    shape = images.shape[2:]
    limits = [(side // 6, side // 3) for side in shape]
    return torch.where(random_blocks(images, limits, _BLOCKS), noise_like(images), images)


def out_painted(images: Tensor) -> Tensor:
    """Keep one to five blocks, three to four sevenths of a side wide; fill the rest with noise."""
    shape = images.shape[2:]
    limits = [(side - 4 * side // 7, side - 3 * side // 7) for side in shape]
    return torch.where(random_blocks(images, limits, _BLOCKS, least=1), images, noise_like(images))


def random_blocks(
    images: Tensor, limits: Sequence[tuple[int, int]], most: int, least: int = 0
) -> Tensor:
    """A mask of random boxes: bool (b, 1, d, h, w).

    Args:
        images: (b, c, d, h, w), for the shape.
        limits: narrowest and widest box along each axis.
        most: boxes in a patch; each after the first `least` follows with probability 0.95.
        least: boxes that there are in any case.
    """
    batch, device = len(images), images.device
    follows = torch.rand(batch, most, device=device) < _GOES_ON
    follows[:, :least] = True
    inside = follows.cumprod(dim=1).bool().view(batch, most, 1, 1, 1)
    for axis, (narrowest, widest) in enumerate(limits):
        side = images.shape[axis + 2]
        width = torch.randint(max(1, narrowest), max(1, widest) + 1, (batch, most), device=device)
        margin = ((side - width) // 2).clamp_max(_MARGIN)
        room = side - width - 2 * margin
        start = margin + (torch.rand(batch, most, device=device) * (room + 1)).long()
        places = torch.arange(side, device=device)
        along = (places >= start.unsqueeze(2)) & (places < (start + width).unsqueeze(2))
        view = [batch, most, 1, 1, 1]
        view[axis + 2] = side
        inside = inside & along.view(view)
    return inside.any(dim=1, keepdim=True)
