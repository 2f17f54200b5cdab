"""A batch that is computed part by part, or by several processes, gives what it gives at once."""

import numpy as np
import pytest
import torch
from torch import nn
from voxbench.api import IGNORED
from voxbench.data.patches import Batch
from voxbench.design.recipe import Recipe
from voxbench.errors import SpecError
from voxbench.fit.loop import train
from voxbench.fit.loss import mean_counts, segmentation_loss
from voxbench.fit.share import WHOLE, Share

RECIPE = Recipe(
    steps=20, batch=4, patch=(8, 8, 8), learning_rate=0.01, optimiser="sgd", gradient_clip=0.3
)


def batches(step: int, slots: range | None = None) -> Batch:
    """Four patches; some voxels of some were not looked at, nor a class of one."""
    random = np.random.default_rng(step)
    images = random.normal(size=(4, 1, 8, 8, 8)).astype(np.float32)
    labels = (images[:, 0] > 0.5).astype(np.uint8) + (images[:, 0] > 1)
    labels[1] = np.where(labels[1] == 2, 0, labels[1])
    labels[3] = np.where(labels[3] == 1, 0, labels[3])
    labels[1, :5] = labels[3, :, 2] = IGNORED
    labelled = np.array([[True, True], [True, False], [True, True], [False, True]])
    batch = Batch(images, labels.astype(np.uint8), labelled)
    return batch if slots is None else Batch(*(part[slots] for part in batch))


def network(*more: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), *more, nn.ReLU(), nn.Conv3d(4, 3, 1))


def trained(net: nn.Module, recipe: Recipe, **options) -> dict[int, float]:
    def loss(images, labels, labelled, share: Share = WHOLE):
        return segmentation_loss(net(images), labels, labelled, counts=share.counts)

    counts = options.pop("counts", mean_counts)
    found = train(net, loss, batches, recipe, seed=1, device="cpu", counts=counts, **options)
    return found.losses


@pytest.mark.parametrize("micro", [1, 2])
def test_micro_batches_give_the_losses_and_weights_of_the_batch(micro):
    whole, parts = network(), network()
    losses = trained(whole, RECIPE)
    again = trained(parts, RECIPE.model_copy(update={"micro_batch": micro}))
    assert list(again.values()) == pytest.approx(list(losses.values()), abs=1e-6)
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


def test_gradients_of_parts_add_up_to_that_of_the_batch():
    batch = batches(0)
    tensors = [torch.from_numpy(part) for part in batch]
    net = network()
    segmentation_loss(net(tensors[0]), tensors[1].long(), tensors[2]).backward()
    wanted = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    counts = mean_counts(tensors[1], tensors[2]) / 4
    for part in zip(*(one.chunk(4) for one in tensors), strict=True):
        images, labels, labelled = part
        loss = segmentation_loss(net(images), labels.long(), labelled, counts=counts)
        (loss / 4).backward()
    for parameter, gradient in zip(net.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-6, rtol=0)


@pytest.mark.parametrize("layer", [nn.BatchNorm3d(4), nn.Dropout(0.1)])
def test_a_layer_that_looks_at_the_batch_or_draws_at_random_is_refused(layer):
    recipe = RECIPE.model_copy(update={"micro_batch": 2})
    with pytest.raises(SpecError, match=rf"micro_batch 2: 1 \({type(layer).__name__}\)"):
        trained(network(layer), recipe)
    trained(network(layer), RECIPE)


def test_a_loss_of_the_whole_batch_is_refused():
    with pytest.raises(SpecError, match="whole batch"):
        trained(network(), RECIPE.model_copy(update={"micro_batch": 1}), counts=None)


def test_what_is_drawn_for_a_patch_does_not_depend_on_the_parts():
    torch.manual_seed(3)
    whole = WHOLE.rows(lambda n: torch.rand(n, 2), 4)
    parts = []
    for index in range(2):
        torch.manual_seed(3)
        parts.append(Share(index, 2).rows(lambda n: torch.rand(n, 2), 2))
    assert torch.equal(torch.cat(parts), whole)
