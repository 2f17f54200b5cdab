"""Adaptation decides which parameters move, when, and how fast."""

import pytest
import torch
from voxbench.design.recipe import Recipe
from voxbench.fit.adapt import parameter_groups
from voxbench.model.segmenter import Segmenter
from voxbench.plugins import find_architecture

RECIPE = Recipe(steps=100, head_share=0.2, layer_decay=0.5)


@pytest.fixture
def network() -> Segmenter:
    torch.manual_seed(0)
    return Segmenter(find_architecture("unet").build("tiny", 1), 2)


def held(found) -> list[int]:
    return [id(parameter) for group in found for parameter in group.parameters]


@pytest.mark.parametrize("adaptation", ["full", "warmup", "layerwise"])
def test_every_parameter_is_held_once(network, adaptation):
    ids = held(parameter_groups(network, adaptation, RECIPE))
    assert sorted(ids) == sorted(id(p) for p in network.parameters())


def test_frozen_leaves_the_encoder_out(network):
    ids = set(held(parameter_groups(network, "frozen", RECIPE)))
    encoder = {id(p) for p in network.backbone.encoder.parameters()}
    assert not ids & encoder
    assert ids | encoder == {id(p) for p in network.parameters()}
    assert not any(p.requires_grad for p in network.backbone.encoder.parameters())


def test_warmup_starts_the_encoder_late(network):
    others, encoder = parameter_groups(network, "warmup", RECIPE)
    assert encoder.start == 20
    assert others.start == 0
    assert {id(p) for p in encoder.parameters} == {
        id(p) for p in network.backbone.encoder.parameters()
    }


def test_layerwise_halves_the_rate_a_stage_down_to_the_stem(network):
    found = parameter_groups(network, "layerwise", RECIPE)
    scales = [group.scale for group in found]
    assert scales == sorted(scales)
    assert scales[-1] == 1.0
    assert scales[-2] == 0.5
