"""The network of a cell with its weights, from a file or made here, and proof that they arrived."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from voxbench.api import Pretrained, Published
from voxbench.design.seeds import streams
from voxbench.errors import WeightsError
from voxbench.model.audit import load_weights
from voxbench.model.backbones import Backbone
from voxbench.model.direct import Direct
from voxbench.model.segmenter import Segmenter
from voxbench.model.stochastic import segmenter_of
from voxbench.model.weights import read_weights
from voxbench.pretrain.engine import make_weights
from voxbench.pretrain.made import read_head
from voxbench.pretrain.plan import PretrainingPlan
from voxbench.published.file import WeightsFile
from voxbench.records.provenance import LoadAudit, Weights
from voxbench.running.bound import BoundCell
from voxbench.running.task_arm import outputs_of
from voxbench.running.worker import Worker

_COST = ("volumes", "masks", "gpu_hours", "cpu_hours")


def load_network(bound: BoundCell, worker: Worker) -> tuple[Segmenter | Direct, Weights | None]:
    """The network on its device, and where its weights are from; None for scratch.

    Raises:
        WeightsError: the weights can't be read, or too little of them fits.
        SpecError: the network can't take the recipe's patch.
    """
    network: Segmenter | Direct
    baseline, weights = bound.trainings.baseline, bound.trainings.weights
    told: Weights | None = None
    if isinstance(baseline, Published) and isinstance(weights, WeightsFile):
        network, told = _from_file(bound, baseline, weights, worker)
    elif isinstance(baseline, Pretrained) and isinstance(weights, PretrainingPlan):
        network, told = _made_here(bound, baseline, weights, worker)
    else:
        network = initialised(bound)
    return network.to(worker.device), told


def initialised(bound: BoundCell) -> Segmenter:
    """The network as scratch has it."""
    torch.manual_seed(streams(bound.cell)["initialisation"])
    shared, card = bound.trainings, bound.trainings.dataset.card
    backbone = shared.baseline.network(len(card.channels), shared.kernel_spacing)
    segmenter = segmenter_of(backbone, len(card.parts), bound.cell.recipe.stochastic)
    segmenter.backbone.check_patch(bound.cell.recipe.patch)
    if bound.cell.recipe.deep_supervision and bound.cell.is_trained:
        segmenter.backbone.check_supervision()
    return segmenter


def _from_file(
    bound: BoundCell, baseline: Published, file: WeightsFile, worker: Worker
) -> tuple[Segmenter | Direct, Weights]:
    """The network with published weights; with the published head too for direct inference."""
    trusted = file.path.resolve() in worker.trust
    content = read_weights(file.path, file.sha256, trust=trusted)
    segmenter, card = initialised(bound), bound.trainings.dataset.card
    backbone = segmenter.backbone
    tensors = baseline.translate(content, backbone)
    audit = _load(backbone, tensors, baseline, len(card.channels), baseline.left_over(content))
    choice = content.layout.choice
    origin = f"{file.path.name} ({choice})" if choice else file.path.name
    weights = Weights(origin=origin, sha256=file.sha256, audit=audit, trusted=trusted)
    if bound.cell.is_trained:
        return segmenter, weights
    return _direct(bound, backbone, baseline.head(content, backbone), weights), weights


def _made_here(
    bound: BoundCell, baseline: Pretrained, plan: PretrainingPlan, worker: Worker
) -> tuple[Segmenter | Direct, Weights]:
    """The network with weights that were made here; with the head too for direct inference."""
    made = make_weights(plan, device=worker.device, threads=worker.threads)
    cost, terms = made.cost, made.cost.last_terms
    segmenter, tensors = initialised(bound), read_weights(made.path)
    channels, left_over = len(plan.source.card.channels), baseline.card.left_over
    weights = Weights(
        origin=f"{baseline.card.name} on {baseline.source}",
        sha256=made.sha256,
        audit=_load(segmenter.backbone, tensors, baseline, channels, left_over),
        terms=terms,
        **{name: getattr(cost, name) for name in _COST},
    )
    if bound.cell.is_trained:
        return segmenter, weights
    head = baseline.head(read_head(made), plan.source.card, plan.schedule.seed)
    return _direct(bound, segmenter.backbone, head, weights), weights


def _direct(bound: BoundCell, backbone: Backbone, head: nn.Module, weights: Weights) -> Direct:
    """The network with the head of its weights.

    Raises:
        WeightsError: a part of the network is not in them.
    """
    if (lacking := 1 - weights.audit.loaded_total_share) > 0:
        raise WeightsError(
            f"{weights.origin}: {lacking:.1%} of the network's parameters are not in the weights: "
            "their head can't be used without training."
        )
    shared = bound.trainings
    outputs, card = outputs_of(shared.baseline, shared.weights), shared.baseline.card
    kept = None if bound.cell.adaptation == "direct" else card.postprocessed
    return Direct(backbone, head, outputs, list(shared.dataset.card.classes), kept)


def _load(
    backbone: Backbone,
    tensors: Mapping[str, Tensor],
    baseline: Published | Pretrained,
    channels: int,
    left_over: Sequence[str],
) -> LoadAudit:
    if not baseline.decoder:
        tensors = {k: tensor for k, tensor in tensors.items() if not k.startswith("decoder.")}
    card = baseline.card
    return load_weights(
        backbone,
        tensors,
        min_loaded=card.min_loaded,
        in_channels=channels,
        left_over=left_over,
    )
