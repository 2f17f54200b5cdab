"""Makes the weights of a baseline that is pre-trained here: once, cached, and accounted for."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from voxbench.data.augment import augment, mirror_axes
from voxbench.data.cache import PreparedCase
from voxbench.data.patches import Batch, Patches
from voxbench.data.prepare import prepare_cases
from voxbench.design.seeds import stream
from voxbench.fit.loop import train
from voxbench.locks import locked
from voxbench.model.backbones import Backbone
from voxbench.model.weights import read_weights
from voxbench.paths import cache_dir
from voxbench.pretrain.head import head_of
from voxbench.pretrain.made import Made, TrainingCost, find_made, store_head, store_made
from voxbench.pretrain.plan import PretrainingPlan
from voxbench.records.cost import compute_hours

FOREGROUND = 2 / 3  # patches centred on a structure, where labels are used (SuPreM's 2:1)


class _Machine(NamedTuple):
    """The machine's part of a pre-training."""

    device: str
    threads: int
    checkpoint_seconds: float


def make_weights(
    plan: PretrainingPlan,
    *,
    device: str = "cpu",
    threads: int = 1,
    checkpoint_seconds: float = 60.0,
) -> Made:
    """Pre-train a baseline on the training cases of a source, or find that done.

    One process does the work, others that ask for the same weights wait for it; killed, it is
    continued by the next that asks.

    Args:
        plan: what is trained on what.
        device: "cpu" or "cuda:N".
        threads: that this process computes with, for the cost.
        checkpoint_seconds: wall clock between checkpoints.

    Raises:
        DataError: a case can't be used.
        SpecError: the network can't take the patch.
    """
    folder = cache_dir() / "weights" / plan.identity
    with locked(folder):
        if found := find_made(folder):
            return found
        machine = _Machine(device, threads, checkpoint_seconds)
        if plan.donor:
            tensors, cost = _given(plan.donor, machine)
        else:
            tensors, cost = _trained(plan, folder, machine)
        finished = plan.baseline.finish(tensors, plan.source.card, plan.schedule.seed)
        return store_made(folder, finished, cost)


def _given(donor: PretrainingPlan, machine: _Machine) -> tuple[Mapping[str, Tensor], TrainingCost]:
    """The weights of a donor, made if they are not there, and what they cost."""
    made = make_weights(donor, **machine._asdict())
    return read_weights(made.path, made.sha256), made.cost


def _trained(
    plan: PretrainingPlan, folder: Path, machine: _Machine
) -> tuple[Mapping[str, Tensor], TrainingCost]:
    """Train the backbone on the objective: its weights, and what they cost."""
    schedule = plan.schedule
    network = _network(plan)
    cases = _annotated(plan)
    objective = plan.baseline.objective(network, plan.source.card).to(machine.device)
    if schedule.channels_last:
        objective.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    forward = torch.compile(objective) if schedule.compile else objective
    training = train(
        objective,
        lambda tensors: forward(*tensors),
        _batches(plan, cases),
        schedule,
        seed=_seed("training", plan),
        device=machine.device,
        checkpoint=folder / "checkpoint.ckpt",
        checkpoint_seconds=machine.checkpoint_seconds,
    )
    store_head(folder, head_of(objective, network))
    return network.state_dict(), TrainingCost(
        volumes=len(plan.cases),
        masks=sum(len(case.present) for case in cases) if plan.baseline.needs_labels else 0,
        **compute_hours(training.seconds, machine.device, machine.threads)._asdict(),
        seconds=training.seconds,
        losses=training.losses,
    )


def _network(plan: PretrainingPlan) -> Backbone:
    torch.manual_seed(_seed("initialisation", plan))
    network = plan.baseline.backbone(len(plan.source.card.channels))
    network.check_patch(plan.schedule.patch)
    return network


def _annotated(plan: PretrainingPlan) -> Sequence[PreparedCase]:
    prepared = prepare_cases(plan.source, plan.cases, plan.preprocessing)
    return plan.baseline.annotated(list(prepared.values()), plan.source.card, plan.schedule.seed)


def _batches(plan: PretrainingPlan, cases: Sequence[PreparedCase]) -> Callable[[int], Batch]:
    """The batch of a step."""
    schedule, classes = plan.schedule, plan.source.card.classes
    share = FOREGROUND if plan.baseline.needs_labels else 0.0
    seed, changes = _seed("order", plan), _seed("augmentation", plan)
    patches = Patches(cases, classes, schedule.patch, schedule.batch, share, seed)
    mirrors = mirror_axes(classes, plan.preprocessing.axes)
    return lambda step: augment(patches.batch(step), schedule.augmentation, changes, step, mirrors)


def _seed(name: str, plan: PretrainingPlan) -> int:
    return stream(f"pretraining {name}", seed=plan.schedule.seed)
