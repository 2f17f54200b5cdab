"""Deep supervision: which maps, which weights, which labels; nothing of it remains."""

import pytest
import torch
from voxbench.api import IGNORED
from voxbench.errors import SpecError
from voxbench.fit.loss import segmentation_loss
from voxbench.fit.supervision import DeeplySupervised, supervised_counts, supervised_loss
from voxbench.model.segmenter import Segmenter
from voxbench.plugins import find_architecture

SCALES = ((1, 1, 1), (2, 2, 2), (4, 4, 4))
SUPERVISED = ["unet", "resenc-unet", "nnunet", "stunet", "mednext"]


def backbone(architecture, size):
    with torch.device("meta"):
        return find_architecture(architecture).build(size, 1)


@pytest.mark.parametrize("architecture", SUPERVISED)
def test_each_level_halves_and_has_the_channels_that_it_says(architecture):
    made = backbone(architecture, "base")
    side = 64 if architecture == "stunet" else 2 * made.divisor
    maps = made.pyramid(torch.empty(1, 1, side, side, side, device="meta"))
    assert [found.shape[1] for found in maps] == list(made.decoder.widths)
    assert [found.shape[2] for found in maps] == [side // 2**level for level in range(len(maps))]
    assert made.decoder.scales == tuple((2**level,) * 3 for level in range(len(maps)))
    made.check_supervision()


@pytest.mark.parametrize(("architecture", "size"), [("unet3d", "tiny"), ("nnunet", "tiny")])
def test_a_network_without_maps_in_between_is_refused_in_words(architecture, size):
    with pytest.raises(SpecError, match="deep_supervision: this network's decoder has no map"):
        backbone(architecture, size).check_supervision()


def test_the_finest_logits_are_those_of_the_segmenter():
    torch.manual_seed(0)
    segmenter = Segmenter(find_architecture("unet").build("tiny", 1), 2)
    image = torch.randn(2, 1, 16, 16, 16)
    levels = DeeplySupervised(segmenter, seed=0)(image)
    assert [tuple(logits.shape) for logits in levels] == [(2, 3, 16, 16, 16), (2, 3, 8, 8, 8)]
    assert torch.equal(levels[0], segmenter(image))


def test_a_level_weighs_half_of_the_one_above():
    torch.manual_seed(0)
    labels = torch.randint(0, 3, (1, 8, 8, 8))
    labelled = torch.ones(1, 2, dtype=torch.bool)
    levels = [torch.randn(1, 3, side, side, side) for side in (8, 4, 2)]
    losses = [
        segmentation_loss(levels[0], labels, labelled),
        segmentation_loss(levels[1], labels[:, 1::2, 1::2, 1::2], labelled),
        segmentation_loss(levels[2], labels[:, 2::4, 2::4, 2::4], labelled),
    ]
    expected = (4 * losses[0] + 2 * losses[1] + losses[2]) / 7
    found = supervised_loss(SCALES, levels, labels, labelled)
    assert float(found) == pytest.approx(float(expected))


def test_a_batch_may_be_divided():
    torch.manual_seed(1)
    labels = torch.randint(0, 3, (2, 8, 8, 8))
    labels[0, :5] = IGNORED
    labelled = torch.tensor([[True, True], [True, False]])
    levels = [torch.randn(2, 3, side, side, side) for side in (8, 4, 2)]
    counts = supervised_counts(SCALES, labels, labelled) / 2
    parts = [
        supervised_loss(
            SCALES, [one[i : i + 1] for one in levels], labels[i : i + 1], labelled[i : i + 1],
            counts=counts,
        )
        for i in range(2)
    ]  # fmt: skip
    whole = supervised_loss(SCALES, levels, labels, labelled)
    assert float(sum(parts) / 2) == pytest.approx(float(whole), rel=1e-5)


def test_every_head_learns():
    torch.manual_seed(0)
    network = DeeplySupervised(Segmenter(find_architecture("unet").build("tiny", 1), 2), seed=0)
    labels, labelled = torch.randint(0, 3, (2, 16, 16, 16)), torch.ones(2, 2, dtype=torch.bool)
    levels = network(torch.randn(2, 1, 16, 16, 16))
    supervised_loss(network.scales, levels, labels, labelled).backward()
    assert len(network.heads) == 1
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())
