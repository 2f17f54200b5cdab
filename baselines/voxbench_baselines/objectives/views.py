"""Two views of a place: crops that overlap, each changed by itself, as in nnssl's SimCLR.

Ranges and probabilities of the changes are nnU-Net's (Isensee et al., 2021), with mirrors along
each axis and quarter turns in the plane of the first two, where these are equal.
"""

from collections.abc import Callable, Sequence
from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor
from voxbench.errors import SpecError
from voxbench.toolkit import Backbone

from voxbench_baselines.objectives.crops import crops_at
from voxbench_baselines.objectives.distort import happens, value_range
from voxbench_baselines.objectives.turn import reoriented

_SHARE = 0.75  # of the patch's sides, where nothing else is asked for
_RADIUS = 3  # of the blurring kernel, in voxels
_MIRRORED = 0.5  # along each axis
_TURNED = 0.75  # one to three quarters; the rest stays as it is


def view_shape(patch: Sequence[int], backbone: Backbone, crop: int) -> list[int]:
    """The sides of a view: `crop`, or three quarters of the patch's, rounded up to the network's.

    Raises:
        SpecError: the network can't be trained on them.
    """
    multiple = backbone.divisor
    shape = [crop or min(side, ceil(_SHARE * side / multiple) * multiple) for side in patch]
    try:
        backbone.check_patch(shape)
    except SpecError as error:
        raise SpecError(f"views of {tuple(shape)} voxels (field `crop`): {error}") from None
    return shape


def two_views(images: Tensor, shape: Sequence[int], places: int) -> tuple[Tensor, Tensor]:
    """Cut two crops at each of so many places of each image: (b · places, c, *shape) each."""
    first, second = overlapping_starts(images, shape, places)
    return changed(crops_at(images, first, shape)), changed(crops_at(images, second, shape))


def overlapping_starts(images: Tensor, shape: Sequence[int], places: int) -> tuple[Tensor, Tensor]:
    """First voxels of pairs of crops that share half of each side or more: (b, places, 3) each."""
    device = images.device
    sides = torch.tensor(shape, device=device)
    room = torch.tensor(images.shape[2:], device=device) - sides
    drawn = torch.rand(2, len(images), places, 3, device=device)
    first = (drawn[0] * (room + 1)).long()
    low = (first - sides // 2).clamp_min(0)
    high = torch.minimum(first + sides // 2, room)
    return first, low + (drawn[1] * (high - low + 1)).long()


def changed(views: Tensor) -> Tensor:
    """Change intensities of each view (b, c, d, h, w), mirror and turn it, by itself."""
    return reoriented(recoloured(views), _MIRRORED, _TURNED)


def recoloured(views: Tensor) -> Tensor:
    """Change intensities of each view (b, c, d, h, w) by itself."""
    changes: tuple[tuple[Callable[[Tensor], Tensor], float], ...] = (
        (noisy, 0.1), (blurred, 0.2), (brighter, 0.15), (contrasted, 0.15),
        (lambda x: -bent(-x), 0.1), (bent, 0.3),
    )  # fmt: skip
    for change, probability in changes:
        chosen = happens(len(views), probability, views.device)
        views = torch.where(chosen, change(views), views)
    return views


def noisy(views: Tensor) -> Tensor:
    """Add normal noise of a variance of up to a tenth of a channel's."""
    share = _between(views, 0, 0.1).sqrt()
    return views + share * views.std((2, 3, 4), keepdim=True) * torch.randn_like(views)


def blurred(views: Tensor) -> Tensor:
    """Smooth by a normal kernel of a half to one voxel."""
    batch, channels, *shape = views.shape
    places = torch.arange(-_RADIUS, _RADIUS + 1, device=views.device)
    kernels = torch.exp(-(places**2) / (2 * _between(views, 0.5, 1).view(batch, 1) ** 2))
    kernels = (kernels / kernels.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    result = views.reshape(1, batch * channels, *shape)
    for axis in range(3):
        size, pad = [1, 1, 1], [0] * 6
        size[axis] = kernels.shape[1]
        pad[4 - 2 * axis] = pad[5 - 2 * axis] = _RADIUS
        weight = kernels.to(views.dtype).view(-1, 1, *size)
        result = F.conv3d(F.pad(result, pad, mode="replicate"), weight, groups=batch * channels)
    return result.view_as(views)


def brighter(views: Tensor) -> Tensor:
    """Multiply by three to five quarters."""
    return views * _between(views, 0.75, 1.25)


def contrasted(views: Tensor) -> Tensor:
    """Stretch about the mean by three to five quarters, within the range that there was."""
    low, span = value_range(views)
    mean = views.mean((2, 3, 4), keepdim=True)
    stretched = (views - mean) * _between(views, 0.75, 1.25) + mean
    return torch.minimum(torch.maximum(stretched, low), low + span)


def bent(views: Tensor) -> Tensor:
    """A gamma curve of 0.7 to 1.5 over the value range, which keeps mean and deviation."""
    low, span = value_range(views)
    curve = ((views - low) / span).clamp(0, 1) ** _between(views, 0.7, 1.5)
    dims = (2, 3, 4)
    curve = (curve - curve.mean(dims, keepdim=True)) / curve.std(dims, keepdim=True).clamp_min(1e-6)
    return curve * views.std(dims, keepdim=True) + views.mean(dims, keepdim=True)


def _between(views: Tensor, low: float, high: float) -> Tensor:
    """A number for each view, drawn evenly: (b, 1, 1, 1, 1)."""
    return low + (high - low) * torch.rand(len(views), 1, 1, 1, 1, device=views.device)
