"""Fine-tuning of a cell's network on its cases."""

from functools import partial
from pathlib import Path

from torch import Tensor

from voxbench.data.cell_data import CellData
from voxbench.design.cell import Cell
from voxbench.design.seeds import streams
from voxbench.fit.adapt import parameter_groups
from voxbench.fit.loop import FitResult, accelerated, train
from voxbench.fit.loss import mean_counts, region_parts, segmentation_loss
from voxbench.fit.ranks import ALONE, Ranks
from voxbench.fit.share import WHOLE, Share
from voxbench.model.direct import Direct
from voxbench.model.segmenter import Segmenter
from voxbench.predict.case import mean_dice, score_cases


def fit_network(
    network: Segmenter | Direct,
    cell: Cell,
    data: CellData,
    device: str,
    checkpoint: Path,
    ranks: Ranks = ALONE,
) -> FitResult:
    """Train a network in place; one with a published head is used as it is.

    Args:
        network: on its device, its weights loaded.
        cell: gives recipe, adaptation and seeds.
        data: what is trained on, and selected by.
        device: "cpu" or "cuda:N".
        checkpoint: where training goes on from, if it was stopped.
        ranks: the processes that train it together.

    Raises:
        FitError: the loss is not finite.
        SpecError: the batch can't be divided as the recipe says.
    """
    if isinstance(network, Direct):
        return FitResult({}, {}, {}, seconds=0.0, steps=0)
    segmenter, recipe = network, cell.recipe
    groups = parameter_groups(segmenter, cell.adaptation, recipe)
    forward, regions = accelerated(segmenter, recipe), region_parts(data.card)

    def loss(images: Tensor, labels: Tensor, labelled: Tensor, share: Share = WHOLE) -> Tensor:
        logits = forward(images)
        return segmentation_loss(logits, labels, labelled, recipe.loss, regions, share.counts)

    def validate() -> float:
        return mean_dice(score_cases(segmenter, data.validation, data, recipe, device))

    return train(
        segmenter,
        loss,
        data.batches,
        recipe,
        seed=streams(cell)["training"],
        device=device,
        checkpoint=checkpoint,
        groups=groups,
        validate=validate if recipe.selection == "best" else None,
        counts=partial(mean_counts, regions=regions),
        ranks=ranks,
    )
