"""Fine-tuning of a cell's network on its cases."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from torch import Tensor

from voxbench.data.cell_data import CellData
from voxbench.design.cell import Cell
from voxbench.design.seeds import stream, streams
from voxbench.fit.adapt import parameter_groups
from voxbench.fit.likelihood import likelihood_loss
from voxbench.fit.loop import FitResult, accelerated, train
from voxbench.fit.loss import mean_counts, region_parts, segmentation_loss
from voxbench.fit.optim import ParameterGroup
from voxbench.fit.ranks import ALONE, Ranks
from voxbench.fit.share import WHOLE, Share
from voxbench.fit.supervision import DeeplySupervised, supervised_counts, supervised_loss
from voxbench.fit.validation import window_dice
from voxbench.model.direct import Direct
from voxbench.model.segmenter import Segmenter
from voxbench.model.stochastic import StochasticSegmenter
from voxbench.predict.case import mean_dice, score_cases


def fit_network(
    network: Segmenter | Direct,
    cell: Cell,
    data: CellData,
    device: str,
    checkpoint: Path,
    ranks: Ranks = ALONE,
    hopeless: Callable[[int, float], bool] | None = None,
) -> FitResult:
    """Train a network in place; one with a published head is used as it is.

    Args:
        network: on its device, its weights loaded.
        cell: gives recipe, adaptation and seeds.
        data: what is trained on, and selected by.
        device: "cpu" or "cuda:N".
        checkpoint: where training goes on from, if it was stopped.
        ranks: the processes that train it together.
        hopeless: whether to stop, of the number of validations so far and the last score.

    Raises:
        FitError: the loss is not finite.
        SpecError: the batch can't be divided as the recipe says.
    """
    if isinstance(network, Direct):
        return FitResult.nothing()
    segmenter, recipe = network, cell.recipe
    stochastic = segmenter if isinstance(segmenter, StochasticSegmenter) else None
    groups = parameter_groups(segmenter, cell.adaptation, recipe)
    trained: Segmenter | DeeplySupervised = segmenter
    loss_of: Callable[..., Tensor] = segmentation_loss
    counts_of: Callable[..., Tensor] = mean_counts
    if recipe.deep_supervision:
        trained = DeeplySupervised(segmenter, stream("heads", seed=cell.seed)).to(device)
        groups.append(ParameterGroup(list(trained.heads.parameters())))
        loss_of = partial(supervised_loss, trained.scales)
        counts_of = partial(supervised_counts, trained.scales)
    forward, regions = accelerated(trained, recipe), region_parts(data.card)

    def loss(images: Tensor, labels: Tensor, labelled: Tensor, share: Share = WHOLE) -> Tensor:
        return loss_of(forward(images), labels, labelled, recipe.loss, regions, share.counts)

    def whole_cases() -> float:
        return mean_dice(score_cases(segmenter, data.validation, data, recipe, device))

    selects = recipe.selection == "best"
    validate = whole_cases if selects else window_dice(segmenter, data, recipe, device)
    return train(
        trained,
        _likelihood(stochastic) if stochastic else loss,
        data.batches,
        recipe,
        seed=streams(cell)["training"],
        device=device,
        checkpoint=checkpoint,
        groups=groups,
        validate=validate,
        hopeless=hopeless,
        before_step=stochastic and stochastic.at,
        counts=partial(counts_of, regions=regions),
        ranks=ranks,
    )


def _likelihood(network: StochasticSegmenter) -> Callable[..., Tensor]:
    def loss(images: Tensor, labels: Tensor, labelled: Tensor, share: Share = WHOLE) -> Tensor:
        return likelihood_loss(network.distribution(images), labels, labelled, share)

    return loss
