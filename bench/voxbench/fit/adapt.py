"""How a pre-trained network is adapted: which parameters move, when, and how fast."""

from torch import nn

from voxbench.design.cell import Adaptation
from voxbench.design.recipe import Recipe
from voxbench.fit.optim import ParameterGroup, all_parameters
from voxbench.model.segmenter import Segmenter


def parameter_groups(
    network: Segmenter, adaptation: Adaptation, recipe: Recipe
) -> list[ParameterGroup]:
    """Parameter groups of an adaptation.

    - full: all at one rate.
    - frozen: the encoder keeps its weights, decoder and head are trained.
    - warmup: decoder and head first (`recipe.head_share` of the steps), then all (Kumar et
      al., ICLR 2022).
    - layerwise: the rate falls by `recipe.layer_decay` a stage, from the head down to the stem
      (Clark et al., ICLR 2020).

    Args:
        network: the segmenter; `frozen` switches its encoder's gradients off.
        adaptation: which of the four.
        recipe: gives the share and the decay.
    """
    encoder = network.backbone.encoder
    if adaptation == "full":
        return all_parameters(network)
    if adaptation == "frozen":
        encoder.requires_grad_(False)
        return all_parameters(network)
    if adaptation == "warmup":
        inside = {id(p) for p in encoder.parameters()}
        others = [p for p in network.parameters() if id(p) not in inside]
        start = round(recipe.head_share * recipe.steps)
        return [
            ParameterGroup(others),
            ParameterGroup(list(encoder.parameters()), start=start),
        ]
    return _layerwise(network, recipe.layer_decay)


def _layerwise(network: Segmenter, decay: float) -> list[ParameterGroup]:
    stages = network.backbone.stages()
    grouped: list[list[nn.Parameter]] = [[] for _ in stages]
    for name, parameter in network.backbone.named_parameters():
        grouped[_stage(name, stages)].append(parameter)
    below = [
        ParameterGroup(parameters, scale=decay ** (len(stages) - i))
        for i, parameters in enumerate(grouped)
        if parameters
    ]
    heads = [
        parameter
        for name, parameter in network.named_parameters()
        if not name.startswith("backbone.")
    ]
    return [*below, ParameterGroup(heads)]


def _stage(name: str, stages: list[tuple[str, ...]]) -> int:
    return next(i for i, prefixes in enumerate(stages) if name.startswith(prefixes))
