"""Maps of uncertainty, by hand and against 64 bits with all members in memory."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.errors import DataError
from voxbench.uncertainty.measures import Measures, Members, measure_of


def fed(softmax, by_class=False):
    members = Members(softmax.shape[1], softmax.shape[2:], by_class=by_class)
    for member in softmax:
        members.add(member)
    return members


def entropy(p, axis):
    return -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis)


def in_memory(softmax):
    mean = softmax.mean(axis=0)
    predictive, expected = entropy(mean, 0), entropy(softmax, 1).mean(axis=0)
    return Measures(predictive, expected, predictive - expected, 1 - mean.max(axis=0))


def drawn(seed, members, classes, shape):
    logits = np.random.default_rng(seed).normal(0, 6, (members, classes, *shape))
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def test_members_that_contradict_each_other_are_epistemic_and_unsure_ones_aleatoric():
    sure_of_either = np.array([[[1.0], [0.0]], [[0.0], [1.0]]])
    unsure = np.full((2, 2, 1), 0.5)
    assert np.concatenate(fed(sure_of_either).measures()) == pytest.approx(
        [math.log(2), 0, math.log(2), 0.5]
    )
    assert np.concatenate(fed(unsure).measures()) == pytest.approx([math.log(2)] * 2 + [0, 0.5])


def test_the_kinds_of_a_stochastic_segmentation_network_are_swapped():
    assert measure_of("epistemic", "ensemble") == "mutual_information"
    assert measure_of("aleatoric", "ensemble") == "expected_entropy"
    assert measure_of("epistemic", "ssn") == "expected_entropy"
    assert measure_of("aleatoric", "ssn") == "mutual_information"
    assert measure_of("predictive", "ssn") == "predictive_entropy"


@given(st.integers(0, 99), st.integers(1, 10), st.integers(2, 25))
def test_streamed_members_are_within_the_stated_error_of_all_in_memory(seed, members, classes):
    softmax = drawn(seed, members, classes, (3, 4))
    for ours, theirs in zip(fed(softmax).measures(), in_memory(softmax), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6, rtol=0)


def test_more_voxels_than_are_worked_on_at_once_make_no_difference():
    softmax = drawn(1, 3, 4, (3, 700))
    whole = fed(softmax).measures()
    np.testing.assert_allclose(whole, in_memory(softmax), atol=2e-6, rtol=0)
    parts = Members(4, (3, 700), by_class=True)
    for member in softmax:
        for box in (
            (slice(0, 2), slice(0, 650)),
            (slice(2, 3), slice(0, 650)),
            (slice(0, 3), slice(650, 700)),
        ):
            parts.add_part(member[:, *box], box)
    assert np.array_equal(whole, parts.measures())
    assert np.array_equal(fed(softmax, by_class=True).of_class(1), parts.of_class(1))


def test_probabilities_of_every_size_have_the_entropy_of_64_bits():
    p = np.concatenate([10.0 ** -np.arange(46), 1 - 10.0 ** -np.arange(1, 8), [0.0, 0.5, 1.0]])
    softmax = np.stack([p, 1 - p])[None].astype(np.float32)
    found = fed(softmax).measures().expected_entropy
    np.testing.assert_allclose(found, entropy(softmax[0].astype(np.float64), 0), atol=2e-7, rtol=0)


def test_one_class_is_measured_against_the_rest():
    softmax = drawn(2, 5, 4, (6,))
    binary = np.stack([softmax[:, 2], 1 - softmax[:, 2]], axis=1)
    for ours, theirs in zip(
        fed(softmax, by_class=True).of_class(2), in_memory(binary), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=2e-6, rtol=0)
    with pytest.raises(ValueError, match="by_class"):
        fed(softmax).of_class(2)


def test_of_two_classes_either_has_the_measures_of_both():
    members = fed(drawn(3, 4, 2, (6,)), by_class=True)
    for index in (0, 1):
        for one, both in zip(members.of_class(index), members.measures(), strict=True):
            np.testing.assert_allclose(one, both, atol=1e-6)


def test_one_member_knows_nothing_of_itself():
    assert not fed(drawn(4, 1, 5, (9,))).measures().mutual_information.any()


def test_label_maps_are_members_that_are_sure():
    labels = np.array([[0, 1, 2], [0, 2, 2]])
    members = Members(3, (3,))
    for own in labels:
        members.add_labels(own)
    one_hot = np.moveaxis(np.eye(3)[labels], -1, 1)
    assert np.array_equal(members.mean, one_hot.mean(axis=0))
    assert np.array_equal(members.measures(), fed(one_hot).measures())
    assert members.labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("member", "told"),
    [
        (np.full((3, 2), 0.5), "classes first"),
        (np.full((2, 2), 3.0), "are these logits"),
        (np.full((2, 2), math.nan), "are these logits"),
        (np.full((2, 2), 0.3), "sum to 0.6, not 1"),
    ],
)
def test_what_is_no_probability_is_refused(member, told):
    with pytest.raises(DataError, match=told):
        Members(2, (2,)).add(member)


def test_a_label_without_a_class_is_refused():
    with pytest.raises(DataError, match=r"the 2 classes are 0 … 1"):
        Members(2, (2,)).add_labels(np.array([0, 2]))
    with pytest.raises(ValueError, match="no member"):
        Members(2, (2,)).measures()
