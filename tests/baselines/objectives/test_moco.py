"""MoCo contrasts a student's vectors with a queue of its teacher's."""

import torch
from voxbench.design.recipe import Pretraining
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.moco import MoCo
from voxbench_baselines.objectives.moco import MoCoObjective

NOTHING = torch.zeros(0)


def objective(**fields: float) -> MoCoObjective:
    torch.manual_seed(0)
    return MoCoObjective(find_architecture("unet").build("tiny", 1), MoCo(**fields))


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
