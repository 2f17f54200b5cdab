"""Published heads do what their description says."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from voxbench.errors import WeightsError
from voxbench.model.heads import ControlledHead, ConvolutionHead

from tests.baselines.layouts import probe
from tests.model import controller as published

ORGANS = ("spleen", "liver", "colon")


@pytest.fixture
def controller():
    return published.state(ORGANS, features=32, coarsest=64)


def test_the_controller_s_networks_are_those_of_its_description(controller):
    features, coarsest = probe(2, 32, 4, 5, 6), probe(2, 64, 2, 2, 3)
    logits = ControlledHead(controller, ORGANS)(features, [features, coarsest])
    assert logits.shape == (2, 3, 4, 5, 6)
    expected = published.logits(features, coarsest, controller)
    torch.testing.assert_close(logits, expected, rtol=1e-3, atol=1e-4)
    assert logits.std() > 0


def test_a_learnt_embedding_needs_no_text(controller):
    text = controller.pop("organ_embedding")
    weight, bias = (controller.pop(f"text_to_vision.{name}") for name in ("weight", "bias"))
    features = probe(1, 32, 2, 2, 2)
    maps = [probe(1, 64, 1, 1, 1)]
    learnt = {**controller, "organ_embedding.weight": F.relu(text @ weight.T + bias)}
    worded = {**controller, "organ_embedding": text}
    worded |= {"text_to_vision.weight": weight, "text_to_vision.bias": bias}
    results = [ControlledHead(state, ORGANS)(features, maps) for state in (learnt, worded)]
    torch.testing.assert_close(*results)


def test_a_pointwise_head_is_a_convolution():
    layer = nn.Conv3d(8, 3, 1)
    features = probe(1, 8, 3, 4, 5)
    head = ConvolutionHead.of(layer.state_dict(prefix="out."), "out", ORGANS)
    assert torch.equal(head(features, []), layer(features))


@pytest.mark.parametrize("missing", ["GAP.3.bias", "controller.weight", "text_to_vision.weight"])
def test_a_missing_head_is_named(controller, missing):
    del controller[missing]
    with pytest.raises(WeightsError, match=f"no head: {missing} is missing"):
        ControlledHead(controller, ORGANS)
    with pytest.raises(WeightsError, match=r"no head: out\.weight is missing"):
        ConvolutionHead.of(controller, "out", ORGANS)


def test_a_head_with_other_outputs_is_refused(controller):
    with pytest.raises(WeightsError, match=r"organ_embedding gives 3 outputs, .* names 2"):
        ControlledHead(controller, ORGANS[:2])
    state = nn.Conv3d(8, 9, 1).state_dict(prefix="out.")
    with pytest.raises(WeightsError, match=r"out gives 9 outputs, .* names 3"):
        ConvolutionHead.of(state, "out", ORGANS)
