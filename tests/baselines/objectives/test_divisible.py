"""The parts of a batch add up to its loss, its gradients and what it tells, where that is said."""

import pytest
import torch
from voxbench.api import IGNORED, TaskCard
from voxbench.fit.share import WHOLE, Share
from voxbench.fit.terms import told, total
from voxbench_baselines.masked_autoencoder import MaskedAutoencoder
from voxbench_baselines.supervised import Supervised

from tests.data.toy import card

PATCHES, PARTS = 4, 2
SOURCE: TaskCard = card()


def batch() -> tuple[torch.Tensor, ...]:
    torch.manual_seed(1)
    images = torch.randn(PATCHES, 1, 16, 16, 16)
    labels = (images[:, 0] > 1).long()
    labels[0] = 0
    labels[1, :4] = IGNORED
    labelled = torch.ones(PATCHES, len(SOURCE.classes), dtype=torch.bool)
    labelled[2, 0] = False
    return images, labels, labelled


def computed(objective, part, share=WHOLE):
    torch.manual_seed(2)
    terms = objective(*part, share)
    return total(terms), told(terms)


@pytest.mark.parametrize(
    "baseline",
    [
        MaskedAutoencoder(size="tiny", cube=6),
        Supervised(size="tiny"),
        Supervised(size="tiny", recipe="published"),
    ],
    ids=["masked", "supervised", "published"],
)
def test_parts_add_up_to_the_batch(baseline):
    assert baseline.divisible
    torch.manual_seed(0)
    objective = baseline.objective(baseline.backbone(1), SOURCE)
    whole, wanted = computed(objective, batch())
    whole.backward()
    gradients = {n: p.grad.clone() for n, p in objective.named_parameters() if p.grad is not None}
    objective.zero_grad()
    counts = objective.counts(*batch()[1:]) / PARTS
    found = []
    for index, part in enumerate(zip(*(one.chunk(PARTS) for one in batch()), strict=True)):
        loss, tells = computed(objective, part, Share(index, PARTS, counts))
        (loss / PARTS).backward()
        found.append(tells)
    for name, value in wanted.items():
        mean = sum(float(tells[name]) for tells in found) / PARTS
        assert mean == pytest.approx(float(value), abs=2e-6), name
    for name, gradient in gradients.items():
        torch.testing.assert_close(objective.get_parameter(name).grad, gradient, atol=1e-6, rtol=0)
