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


def loss_of(*given) -> torch.Tensor:
    return total(structure_loss(*given))


def sure(labels: torch.Tensor, right: bool = True) -> torch.Tensor:
    truth = torch.stack([labels == value for value in (1, 2, 3)], dim=1).float()
    return (truth * 2 - 1) * (30 if right else -30)


def test_a_perfect_answer_costs_no_more_than_what_keeps_the_dice_finite():
    """1 - 2·n / (2·n + 1) of n voxels."""
    sizes = torch.stack([(labels() == value).sum((1, 2, 3)) for value in (1, 2, 3)])
    expected = float((1 / (2 * sizes + 1)).mean())
    assert float(loss_of(sure(labels()), labels(), ALL)) == pytest.approx(expected, abs=1e-5)


def test_a_wrong_answer_costs_more_than_an_undecided_one():
    undecided = loss_of(torch.zeros(2, 3, 4, 4, 4), labels(), ALL)
    assert loss_of(sure(labels(), right=False), labels(), ALL) > undecided > 0


def test_the_values_by_hand():
    """One voxel of two is the structure, both at p = 0.5: entropy ln 2, Dice 1 - 2·0.5 / (2 + 1).

    The whole patch gets 1 - 2 / (3 + 1), its share is the undecided answer.
    """
    logits = torch.zeros(1, 1, 1, 1, 2)
    terms = structure_loss(logits, torch.tensor([[[[1, 0]]]]), torch.ones(1, 1, dtype=torch.bool))
    assert float(terms["entropy"].value) == pytest.approx(math.log(2))
    assert float(terms["dice"].value) == pytest.approx(1 - 1 / 3)
    assert float(terms["dice"].trivial["everything"]) == pytest.approx(0.5)
    assert float(terms["entropy"].trivial["share"]) == pytest.approx(math.log(2))


def test_the_dice_counts_the_structures_in_sight_and_the_entropy_all():
    logits = torch.randn(1, 3, 4, 4, 4, requires_grad=True)
    truth = (labels()[:1] == 1).long()
    terms = structure_loss(logits, truth, ALL[:1])
    for name, counted in (("dice", [True, False, False]), ("entropy", [True] * 3)):
        (gradient,) = torch.autograd.grad(terms[name].value, logits, retain_graph=True)
        assert [bool(part.any()) for part in gradient[0]] == counted


def test_nothing_that_is_predicted_rightly_costs_no_dice_and_no_overlap_costs_one():
    """Without smoothing above the line an empty overlap is worth nothing, however small it is."""
    truth = torch.tensor([[[[1, 0, 0]]]])
    logits = torch.tensor([[-30.0, 30, -30]]).view(1, 1, 1, 1, 3)
    dice = structure_loss(logits, truth, ALL[:1, :1])["dice"].value
    assert float(dice) == pytest.approx(1)


def test_structures_that_were_not_annotated_are_left_out():
    logits = torch.randn(2, 3, 4, 4, 4, requires_grad=True)
    labelled = torch.tensor([[True, False, True], [False, True, True]])
    loss = loss_of(logits, labels(), labelled)
    loss.backward()
    for case, given in enumerate(labelled):
        for structure, counted in enumerate(given):
            assert bool(logits.grad[case, structure].any()) == bool(counted)
    other = logits.detach().clone()
    other[~labelled] = 99.0
    assert torch.equal(loss_of(other, labels(), labelled), loss)


def test_a_batch_without_annotations_gives_no_gradient_and_no_nan():
    logits = torch.randn(2, 3, 4, 4, 4, requires_grad=True)
    loss = loss_of(logits, labels(), ~ALL)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_the_objective_trains_encoder_and_decoder():
    torch.manual_seed(0)
    module = StructuresObjective(find_architecture("unet").build("tiny", 1), 3, augments=False)
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
    one, two = (loss_of(given, labels, labelled) for given in (logits, other))
    assert torch.isclose(one, two, atol=1e-6)
    annotated = loss_of(logits[:, :, 2:], labels[:, 2:], labelled)
    assert torch.isclose(one, annotated, atol=1e-5)


def test_suprem_turns_image_and_labels_alike_and_moves_brightness(monkeypatch):
    torch.manual_seed(0)
    module = StructuresObjective(find_architecture("unet").build("tiny", 1), 3, augments=True)
    seen = []
    monkeypatch.setattr(
        "voxbench_baselines.objectives.structures.structure_loss",
        lambda logits, labels, *_: seen.append(labels),
    )
    inputs = []
    module.backbone.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    labels = torch.randint(0, 4, (60, 8, 8, 16))
    module(labels.unsqueeze(1).float(), labels, torch.ones(60, 3, dtype=torch.bool))
    moved = inputs[0][:, 0] - seen[0]
    assert all(one.std() < 1e-5 for one in moved), "a constant for each patch"
    assert 0.05 < (moved.flatten(1)[:, 0].abs() > 1e-6).float().mean() < 0.4
    assert moved.abs().max() <= 0.1 * 3 + 1e-5
    assert 0.02 < (seen[0] != labels).flatten(1).any(1).float().mean() < 0.25
    module.eval()
    module(labels.unsqueeze(1).float(), labels, torch.ones(60, 3, dtype=torch.bool))
    assert torch.equal(seen[1], labels), "what is measured is not augmented"
