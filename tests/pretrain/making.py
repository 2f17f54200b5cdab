"""Pre-trainings on all of a task's training cases, or as many as the baseline asks for."""

from voxbench.api import Pretrained, Task
from voxbench.design.recipe import Pretraining
from voxbench.pretrain.engine import make_weights
from voxbench.pretrain.made import Made
from voxbench.pretrain.plan import PretrainingPlan, open_source, plan_pretraining


def plan(baseline: Pretrained, source: Task, recipe: Pretraining) -> PretrainingPlan:
    return plan_pretraining(baseline, open_source(baseline, source), recipe)


def make(baseline: Pretrained, source: Task, recipe: Pretraining, **machine) -> Made:
    return make_weights(plan(baseline, source, recipe), **machine)
