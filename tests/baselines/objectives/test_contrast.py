"""A vector is to find its partner in a batch or a queue."""

import math

import pytest
import torch
from voxbench_baselines.objectives.contrast import info_nce, queue_contrast


def test_the_contrast_of_a_batch_by_hand():
    """Two patches whose views agree and are at right angles: -ln(e² / (e² + 2))."""
    vectors = torch.tensor([[1.0, 0], [0, 3], [2, 0], [0, 1]])
    term = info_nce(vectors, 0.5)
    assert term.value.item() == pytest.approx(-math.log(math.e**2 / (math.e**2 + 2)))
    assert term.accuracy == 1
    assert term.trivial["chance"] == pytest.approx(math.log(3))
    assert term.chance == pytest.approx(1 / 3)


def test_views_of_other_patches_cost_more():
    vectors = torch.tensor([[1.0, 0], [0, 1], [0, 1], [1.0, 0]])
    assert info_nce(vectors, 0.5).value > info_nce(vectors[[0, 1, 3, 2]], 0.5).value
    assert info_nce(vectors, 0.5).accuracy == 0


def test_vectors_that_are_all_alike_cost_what_chance_does():
    term = info_nce(torch.ones(8, 3), 0.1)
    assert term.value.item() == pytest.approx(term.trivial["chance"])


def test_the_contrast_with_a_queue_by_hand():
    """Cosine 0.6 with the key; 0, 1 and, in a place that is not filled yet, 1 with the queue."""
    query, key = torch.tensor([[2.0, 0.0]]), torch.tensor([[3.0, 4.0]])
    queue = torch.tensor([[0.0, 1.0], [5.0, 0.0], [1.0, 0.0]])
    term = queue_contrast(query, key, queue, torch.tensor(2), temperature=0.5)
    terms = [math.exp(1.2), math.exp(0), math.exp(2)]
    assert term.value.item() == pytest.approx(-math.log(terms[0] / sum(terms)))
    assert term.trivial["chance"].item() == pytest.approx(math.log(3))
    assert term.accuracy.item() == term.chance == 1  # the batch has one key


def test_vectors_of_the_queue_are_no_answer():
    """Both queries are nearer to the queue than to their keys, and one to the other's key."""
    query = torch.tensor([[1.0, 0.1], [1.0, 0.0]])
    key, queue = torch.tensor([[1.0, 0.8], [0.0, 1.0]]), torch.tensor([[1.0, 0.0]])
    term = queue_contrast(query, key, queue, torch.tensor(1), temperature=0.5)
    assert term.accuracy.item() == term.chance == 1 / 2


def test_before_there_is_a_queue_the_batch_is_told_apart():
    vectors = torch.eye(2)
    term = queue_contrast(vectors, vectors, torch.zeros(4, 2), torch.tensor(0), temperature=0.5)
    assert term.value.item() == pytest.approx(math.log(1 + math.exp(-2)))
    assert term.trivial["chance"].item() == pytest.approx(math.log(2))
    assert term.accuracy.item() == 1
