"""Makes the weights of a baseline that is pre-trained here: once, cached, and accounted for."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from voxbench.data.batches import augmented_batches
from voxbench.data.cache import PreparedCase
from voxbench.data.content_hash import check_unchanged
from voxbench.data.prepare import prepare_cases
from voxbench.data.renamed import renamed
from voxbench.data.union import renaming
from voxbench.data.voxel_size import across_slices
from voxbench.design.seeds import pretraining_streams
from voxbench.files import remove_leavings
from voxbench.fit.loop import FitResult, accelerated, train
from voxbench.fit.ranks import ALONE, Ranks
from voxbench.fit.together import together
from voxbench.locks import locked
from voxbench.model.backbones import Backbone
from voxbench.model.weights import read_weights
from voxbench.pretrain.head import head_of
from voxbench.pretrain.made import (
    Made,
    TrainingCost,
    find_made,
    store_head,
    store_made,
)
from voxbench.pretrain.plan import PretrainingPlan, made_folder
from voxbench.records.cost import compute_hours

_CHECKPOINT = "checkpoint.ckpt"
FOREGROUND = 2 / 3  # patches centred on a structure, where labels are used (SuPreM's 2:1)


def make_weights(plan: PretrainingPlan, *, device: str = "cpu", threads: int = 1) -> Made:
    """Pre-train a baseline on the training cases of a source, or find that done.

    One process does the work, others that ask for the same weights wait for it; killed, it is
    continued by the next that asks.

    Args:
        plan: what is trained on what.
        device: "cpu" or "cuda:N".
        threads: that this process computes with, for the cost.

    Raises:
        DataError: a case can't be used.
        SpecError: the network can't take the patch.
    """
    folder = made_folder(plan.identity)
    if found := find_made(folder):
        return found
    with locked(folder):
        found = find_made(folder) or _make(plan, folder, device, threads)
        (folder / _CHECKPOINT).unlink(missing_ok=True)
        remove_leavings(folder)
    return found


def _make(plan: PretrainingPlan, folder: Path, device: str, threads: int) -> Made:
    tensors: Mapping[str, Tensor]
    if plan.donor:
        made = make_weights(plan.donor, device=device, threads=threads)
        tensors, cost = read_weights(made.path, made.sha256), made.cost
    else:
        tensors, cost = _trained(plan, folder, device, threads)
    finished = plan.baseline.finish(tensors, plan.source.card, plan.schedule.seed)
    return store_made(folder, finished, cost)


def _trained(
    plan: PretrainingPlan, folder: Path, device: str, threads: int
) -> tuple[Mapping[str, Tensor], TrainingCost]:
    """Train the backbone on the objective, on all devices: its weights, and what they cost."""
    devices = plan.schedule.devices
    task = partial(_train, plan, folder)
    trained = task(ALONE, device) if devices == 1 else together(task, devices, device, threads)
    fitted = trained.fitted
    store_head(folder, trained.head)
    return trained.backbone, TrainingCost(
        volumes=len(plan.cases),
        masks=trained.masks,
        **compute_hours(fitted.seconds, device, threads, devices)._asdict(),
        seconds=fitted.seconds,
        losses=fitted.losses,
        terms=fitted.terms,
    )


class _Trained(NamedTuple):
    """What a training leaves behind: tensors on the processor, and masks that it had."""

    fitted: FitResult
    backbone: Mapping[str, Tensor]
    head: Mapping[str, Tensor]
    masks: int


def _train(plan: PretrainingPlan, folder: Path, ranks: Ranks, device: str) -> _Trained:
    """Train the backbone on the objective, alone or as one of several."""
    schedule, card, seeds = plan.schedule, plan.source.card, pretraining_streams(plan.schedule)
    network = _network(plan, seeds["initialisation"])
    cases, grid = _annotated(plan), plan.grid
    objective = plan.baseline.objective(network, card).to(device)
    fitted = train(
        objective,
        accelerated(objective, schedule),
        augmented_batches(
            cases,
            card.parts,
            plan.source.mirroring.along(grid.axes),
            schedule,
            foreground=FOREGROUND if plan.baseline.needs_labels else 0.0,
            seeds=seeds,
            forbidden=plan.baseline.forbids,
            thick=across_slices(plan.source, grid) if schedule.dummy_2d else None,
        ),
        schedule,
        seed=seeds["training"],
        device=device,
        checkpoint=folder / _CHECKPOINT,
        before_step=objective.before_step,
        counts=objective.counts if plan.baseline.divisible else None,
        ranks=ranks,
        doing="pre-training",
    )
    masks = sum(len(case.present) for case in cases) if plan.baseline.needs_labels else 0
    head = head_of(objective, network)
    return _Trained(fitted, _on_processor(network.state_dict()), _on_processor(head), masks)


def _on_processor(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.cpu() for name, tensor in tensors.items()}


def _network(plan: PretrainingPlan, seed: int) -> Backbone:
    torch.manual_seed(seed)
    network = plan.baseline.network(len(plan.source.card.channels), plan.kernel_spacing)
    network.check_patch(plan.schedule.patch)
    return network


def _annotated(plan: PretrainingPlan) -> Sequence[PreparedCase]:
    """The cases with the annotation that is trained on; those of a union by its classes."""
    card, found = plan.source.card, list[PreparedCase]()
    for dataset, cases in plan.members:
        prepared = prepare_cases(dataset.card, cases, plan.preprocessing(dataset)).values()
        check_unchanged(dataset.files, (path for case in cases for path in case.files))
        if dataset is plan.source:
            found += prepared
        else:
            own = renaming(card, dataset.card)
            found += [renamed(case, own, list(card.parts), dataset.card.name) for case in prepared]
    return plan.baseline.annotated(found, card, plan.schedule.seed)
