"""A case's label map, decided block by block."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from voxbench.data.cache import PreparedCase
from voxbench.data.geometry import VoxelGrid, labels_to_native, uncropped
from voxbench.design.recipe import Recipe
from voxbench.model.direct import Direct
from voxbench.model.segmenter import Segmenter
from voxbench.predict.components import Masks, largest_components
from voxbench.predict.layout import Layout
from voxbench.predict.mirrored import mean_over_flips
from voxbench.predict.native import to_native
from voxbench.predict.stitch import Block
from voxbench.predict.window import inference, stitched

_AT_ONCE = 2**26  # logits


def segment(
    network: nn.Module,
    prepared: PreparedCase,
    recipe: Recipe,
    device: str,
    mirrored: Sequence[int] = (),
) -> NDArray[np.uint8]:
    """Class indices (d, h, w) of a case on the grid of its files.

    Args:
        network: on the device; a published head whose masks are processed apart is.
        prepared: the case.
        recipe: how windows are laid.
        device: "cpu" or "cuda:N".
        mirrored: axes along which windows are mirrored too, and their scores averaged.
    """
    image = prepared.image
    layout = Layout.of(image.shape[1:], recipe.patch, recipe.overlap)
    late = _classifies_late(network, layout)
    with inference(network, late and late.backbone) as forward:
        forward = mean_over_flips(forward, mirrored)
        blocks = stitched(forward, image, prepared.outside, layout, recipe, device)
        if late:
            return _decided(_classified(blocks, late.head), layout, prepared.grid)
        if not (isinstance(network, Direct) and network.separate):
            return _decided(blocks, layout, prepared.grid)
        masks = _masks(blocks, layout, len(network.classes))
    order = [1 + network.classes.index(name) for name in network.shared]
    return labels_to_native(largest_components(masks, order), prepared.grid)


def _classifies_late(network: nn.Module, layout: Layout) -> Segmenter | None:
    """The network, where features are averaged over windows in place of its many more logits.

    Its head is linear, so that it may come after. The last bits differ, and small volumes keep
    theirs.
    """
    if not (layout.large and isinstance(network, Segmenter)):
        return None
    return network if network.head.out_channels > network.head.in_channels else None


def _classified(blocks: Iterable[Block], head: nn.Conv3d) -> Iterator[Block]:
    """Blocks of logits, from blocks of features, part by part."""
    for block in blocks:
        plane = head.out_channels * math.prod(block.scores.shape[2:])
        for part in block.parts(max(1, _AT_ONCE // plane)):
            with torch.inference_mode():
                yield part._replace(scores=head(part.scores[None])[0])


def _decided(blocks: Iterable[Block], layout: Layout, grid: VoxelGrid) -> NDArray[np.uint8]:
    """The class with the largest score, interpolated to the native grid."""
    label = np.zeros(grid.cropped, np.uint8)
    for block in to_native(blocks, layout, grid):
        box, found = block.strongest()
        label[box] = found
    return uncropped(label, grid)


def _masks(blocks: Iterable[Block], layout: Layout, classes: int) -> Masks:
    """Where each class exceeds the background, on the prepared grid."""
    masks = Masks(classes, [axis.size for axis in layout.axes])
    back = np.argsort(layout.order)
    for block in blocks:
        fresh = block.scores[(slice(None), *map(slice, _halo(block), [None] * 3))]
        beats = (fresh[1:] > fresh[0]).cpu().numpy().transpose(0, *(1 + back))
        masks.put([block.own[axis] for axis in back], beats)
    return masks


def _halo(block: Block) -> Sequence[int]:
    """How many voxels along each axis an earlier block held too."""
    return [own - start for own, start in zip(block.own, block.start, strict=True)]
