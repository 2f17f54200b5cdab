"""Pre-trainings on all of a task's training cases, or as many as the baseline asks for."""

from voxbench.api import Pretrained, Task
from voxbench.data.dataset import Dataset
from voxbench.data.mirroring import find_mirroring
from voxbench.data.split import split_cases
from voxbench.design.recipe import Pretraining
from voxbench.pretrain.engine import make_weights
from voxbench.pretrain.made import Made
from voxbench.pretrain.plan import PretrainingPlan, plan_pretraining


def plan(baseline: Pretrained, source: Task, recipe: Pretraining) -> PretrainingPlan:
    split = split_cases(source)
    mirroring = find_mirroring(source, split.train)
    found = Dataset(source.card, split, mirroring, identity="not looked up")
    return plan_pretraining(baseline, found, recipe)


def make(baseline: Pretrained, source: Task, recipe: Pretraining, **machine) -> Made:
    return make_weights(plan(baseline, source, recipe), **machine)
