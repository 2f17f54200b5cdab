"""Supervised pre-training counts the annotated structures and no others."""

import math

import pytest
import torch
from voxbench.api import IGNORED
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives.structures import StructuresObjective, structure_loss

ALL = torch.ones(2, 3, dtype=torch.bool)


def labels() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randint(0, 4, (2, 4, 4, 4))


def sure(labels: torch.Tensor, right: bool = True) -> torch.Tensor:
    truth = torch.stack([labels == value for value in (1, 2, 3)], dim=1).float()
    return (truth * 2 - 1) * (30 if right else -30)


def test_a_perfect_answer_costs_nothing():
    assert float(structure_loss(sure(labels()), labels(), ALL)) == pytest.approx(0, abs=1e-5)


def test_a_wrong_answer_costs_more_than_an_undecided_one():
    undecided = structure_loss(torch.zeros(2, 3, 4, 4, 4), labels(), ALL)
    assert structure_loss(sure(labels(), right=False), labels(), ALL) > undecided > 0


def test_the_value_by_hand():
    """One voxel of two is the structure, both at p = 0.5: entropy ln 2, Dice (1+1)/(2+1)."""
    logits = torch.zeros(1, 1, 1, 1, 2)
    loss = structure_loss(logits, torch.tensor([[[[1, 0]]]]), torch.ones(1, 1, dtype=torch.bool))
    assert float(loss) == pytest.approx(math.log(2) + 1 - 2 / 3)


def test_structures_that_were_not_annotated_are_left_out():
    logits = torch.randn(2, 3, 4, 4, 4, requires_grad=True)
    labelled = torch.tensor([[True, False, True], [False, True, True]])
    loss = structure_loss(logits, labels(), labelled)
    loss.backward()
    for case, given in enumerate(labelled):
        for structure, counted in enumerate(given):
            assert bool(logits.grad[case, structure].any()) == bool(counted)
    other = logits.detach().clone()
    other[~labelled] = 99.0
    assert torch.equal(structure_loss(other, labels(), labelled), loss)


def test_a_batch_without_annotations_gives_no_gradient_and_no_nan():
    logits = torch.randn(2, 3, 4, 4, 4, requires_grad=True)
    loss = structure_loss(logits, labels(), ~ALL)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_the_objective_trains_encoder_and_decoder():
    torch.manual_seed(0)
    module = StructuresObjective(find_architecture("unet").build("tiny", 1), 3)
    targets = torch.randint(0, 4, (2, 16, 16, 16))
    total(module(torch.randn(2, 1, 16, 16, 16), targets, ALL)).backward()
    assert all(p.grad is not None and p.grad.any() for p in module.parameters())


def test_what_nobody_annotated_counts_nowhere():
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 2, 6, 6, 6), torch.randint(0, 3, (2, 6, 6, 6))
    labelled = torch.ones(2, 2, dtype=torch.bool)
    labels[:, :2] = IGNORED
    other = logits.clone()
    other[:, :, :2] += 9
    one, two = (structure_loss(given, labels, labelled) for given in (logits, other))
    assert torch.isclose(one, two, atol=1e-6)
    annotated = structure_loss(logits[:, :, 2:], labels[:, 2:], labelled)
    assert torch.isclose(one, annotated, atol=1e-5)
