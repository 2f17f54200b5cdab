"""MoCo contrasts a student's vectors with a queue of its teacher's."""

import math

import pytest
import torch
from voxbench.design.recipe import Pretraining
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.moco import MoCo
from voxbench_baselines.objectives.moco import MoCoObjective, queue_contrast

NOTHING = torch.zeros(0)


def objective(**fields: float) -> MoCoObjective:
    torch.manual_seed(0)
    return MoCoObjective(find_architecture("unet").build("tiny", 1), MoCo(**fields))


def test_the_contrast_by_hand():
    """Cosine 0.6 with the key; 0, 1 and, in a place that is not filled yet, 1 with the queue."""
    query, key = torch.tensor([[2.0, 0.0]]), torch.tensor([[3.0, 4.0]])
    queue = torch.tensor([[0.0, 1.0], [5.0, 0.0], [1.0, 0.0]])
    term = queue_contrast(query, key, queue, torch.tensor(2), temperature=0.5)
    terms = [math.exp(1.2), math.exp(0), math.exp(2)]
    assert term.value.item() == pytest.approx(-math.log(terms[0] / sum(terms)))
    assert term.trivial["chance"].item() == pytest.approx(math.log(3))
    assert term.accuracy.item() == 0
    assert term.chance.item() == pytest.approx(1 / 3)


def test_before_there_is_a_queue_the_batch_is_told_apart():
    vectors = torch.eye(2)
    term = queue_contrast(vectors, vectors, torch.zeros(4, 2), torch.tensor(0), temperature=0.5)
    assert term.value.item() == pytest.approx(math.log(1 + math.exp(-2)))
    assert term.trivial["chance"].item() == pytest.approx(math.log(2))
    assert term.accuracy.item() == 1


def test_new_vectors_take_the_place_of_the_oldest():
    module = objective(queue=5)
    for start in (1, 4):
        module.enqueue(torch.arange(start, start + 3.0).view(3, 1).expand(3, 128))
    assert module.queue[:, 0].tolist() == [6, 2, 3, 4, 5]
    assert module.count == 6


def test_the_queue_grows_in_training_alone():
    module, images = objective(), torch.randn(2, 1, 16, 16, 16)
    module(images, NOTHING, NOTHING)
    assert module.count == 2
    assert (module.queue.abs().sum(1) > 0).sum() == 2
    module.eval()(images, NOTHING, NOTHING)
    assert module.count == 2


def test_the_teacher_follows_and_takes_no_gradient():
    module = objective(momentum=0.75)
    own = list(module.teacher.copy.parameters())
    before = [parameter.clone() for parameter in own]
    with torch.no_grad():
        for parameter in module.student.parameters():
            parameter += 1.0
    module.before_step(0.0)
    for parameter, old in zip(own, before, strict=True):
        torch.testing.assert_close(parameter, old + 0.25)
    module(torch.randn(2, 1, 16, 16, 16), NOTHING, NOTHING)
    total(module(torch.randn(2, 1, 16, 16, 16), NOTHING, NOTHING)).backward()
    assert all(parameter.grad is None for parameter in own)
    assert all(p.grad is None for p in module.backbone.decoder.parameters())
    assert all(p.grad.any() for p in module.backbone.encoder.parameters())


def test_what_cannot_be_trained_is_refused():
    assert "can't hold a batch of 4" in MoCo(queue=3).unfit_schedule(Pretraining(batch=4))
    assert "crop = 64" in MoCo(crop=64).unfit_schedule(Pretraining(patch=(64, 64, 32)))
    assert MoCo(queue=4).unfit_schedule(Pretraining(batch=4)) is None
