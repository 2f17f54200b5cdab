"""The loss is Dice plus cross-entropy, and leaves unlabelled classes alone."""

import math

import pytest
import torch
from monai.losses import DiceLoss
from voxbench.api import IGNORED
from voxbench.fit import loss as losses
from voxbench.fit.loss import label_likelihood, mean_counts, region_parts, segmentation_loss

from tests.data.toy import card


def _batch(classes: int = 2, seed: int = 0):
    torch.manual_seed(seed)
    logits = torch.randn(2, classes + 1, 6, 6, 6)
    labels = torch.randint(0, classes + 1, (2, 6, 6, 6))
    return logits, labels, torch.ones(2, classes, dtype=torch.bool)


def test_it_is_the_sum_of_its_parts():
    batch = _batch()
    both = segmentation_loss(*batch, "dice_ce")
    parts = segmentation_loss(*batch, "dice") + segmentation_loss(*batch, "ce")
    assert torch.isclose(both, parts)


def test_dice_equals_monai():
    logits, labels, labelled = _batch()
    theirs = DiceLoss(
        include_background=False, to_onehot_y=True, softmax=True, smooth_nr=1e-5, smooth_dr=1e-5
    )(logits, labels[:, None])
    assert torch.isclose(segmentation_loss(logits, labels, labelled, "dice"), theirs, atol=1e-6)


def test_cross_entropy_of_an_undecided_network_is_the_log_of_the_classes():
    logits, labels, labelled = _batch()
    assert segmentation_loss(logits * 0, labels, labelled, "ce") == pytest.approx(math.log(3))


def test_a_class_that_was_not_annotated_is_background():
    """Moving probability between background and the hidden class changes nothing."""
    logits, labels, labelled = _batch()
    labels[labels == 2] = 0
    labelled[:, 1] = False
    swapped = logits[:, [2, 1, 0]]
    first = segmentation_loss(logits, labels, labelled)
    assert torch.isclose(first, segmentation_loss(swapped, labels, labelled), atol=1e-6)


def test_annotations_of_one_case_do_not_hide_those_of_the_other():
    logits, labels, labelled = _batch()
    labels[0][labels[0] == 2] = 0
    labelled[0, 1] = False
    changed = logits.clone()
    changed[1, 2] += 1
    assert segmentation_loss(logits, labels, labelled) != segmentation_loss(
        changed, labels, labelled
    )


def test_gradients_are_finite_where_classes_are_hidden():
    logits, labels, labelled = _batch()
    labels[labels == 2] = 0
    labelled[:, 1] = False
    logits.requires_grad_()
    segmentation_loss(logits, labels, labelled).backward()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("kind", ["dice_ce", "dice", "ce"])
def test_what_is_predicted_where_nobody_annotated_changes_nothing(kind):
    logits, labels, labelled = _batch()
    labels[:, :2] = IGNORED
    other = logits.clone()
    other[:, :, :2] = torch.randn_like(other[:, :, :2]) * 9
    one, two = (segmentation_loss(given, labels, labelled, kind) for given in (logits, other))
    assert torch.equal(one, two)
    annotated = segmentation_loss(logits[:, :, 2:], labels[:, 2:], labelled, kind)
    assert torch.isclose(one, annotated, atol=1e-5)


def test_a_patch_that_nobody_annotated_has_a_finite_loss():
    logits, labels, labelled = _batch()
    loss = segmentation_loss(logits, torch.full_like(labels, IGNORED), labelled)
    assert torch.isfinite(loss)


REGIONS = card(
    classes={"whole": (1, 2, 3), "core": (2, 3), "enhancing": 3},
    tolerance_mm=dict.fromkeys(("whole", "core", "enhancing"), 1.0),
)


def test_a_region_is_as_likely_as_its_parts_together():
    regions = region_parts(REGIONS)
    assert regions.tolist() == [[1, 1, 1], [0, 1, 1], [0, 0, 1]]
    logits, labels, labelled = _batch(classes=3)
    p = torch.softmax(logits, 1)[:, 1:].flatten(2)
    dice = []
    for row in regions.bool():
        found = p[:, row].sum(1)
        truth = torch.isin(labels, torch.arange(1, 4)[row]).flatten(1).float()
        both = (found * truth).sum(1)
        dice.append((2 * both + 1e-5) / (found.sum(1) + truth.sum(1) + 1e-5))
    expected = 1 - torch.stack(dice).mean()
    found = segmentation_loss(logits, labels, labelled, "dice", regions)
    assert torch.isclose(found, expected, atol=1e-6)


def test_classes_that_are_no_regions_need_no_parts():
    assert region_parts(card()) is None


@pytest.mark.parametrize("kind", ["dice_ce", "dice", "ce"])
def test_no_value_has_to_be_waited_for(kind):
    """Meta tensors have none, and refuse whoever asks."""
    logits, labels, labelled = (one.to("meta") for one in _batch())
    assert segmentation_loss(logits, labels, labelled, kind).is_meta
    assert label_likelihood(logits, labels, labelled).is_meta
    assert mean_counts(labels, labelled).is_meta
    with pytest.raises(RuntimeError, match="meta"):
        bool(labelled.all())


@pytest.mark.parametrize("kind", ["dice_ce", "dice", "ce"])
def test_a_device_that_is_not_asked_computes_the_same(kind, monkeypatch):
    def found():
        logits, labels, labelled = _batch()
        value = segmentation_loss(logits.requires_grad_(), labels, labelled, kind)
        value.backward()
        return value.detach(), logits.grad

    asked = found()
    monkeypatch.setattr(losses, "_surely", lambda _flags: False)
    torch.testing.assert_close(found(), asked, rtol=1e-6, atol=1e-8)
