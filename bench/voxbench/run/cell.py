"""One cell, from its data to its record: the whole story on one screen."""

import math
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from statistics import fmean
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from voxbench.api import Case, Pretrained, Published, TaskCard
from voxbench.data.augment import augment, mirror_axes
from voxbench.data.cache import PreparedCase
from voxbench.data.dataset import Dataset
from voxbench.data.fraction import Subset, draw_subset
from voxbench.data.patches import Patches
from voxbench.data.prepare import prepare_cases
from voxbench.data.split import Split
from voxbench.design.cell import Cell
from voxbench.design.preprocessing import Preprocessing
from voxbench.errors import FitError, WeightsError
from voxbench.fit.adapt import groups
from voxbench.fit.loop import Training, train
from voxbench.fit.loss import segmentation_loss
from voxbench.model.audit import load_weights
from voxbench.model.backbones import Backbone
from voxbench.model.direct import Direct
from voxbench.model.segmenter import Segmenter
from voxbench.model.weights import read_weights
from voxbench.predict.case import score_case
from voxbench.pretrain.engine import make_weights
from voxbench.pretrain.plan import PretrainingPlan
from voxbench.published.file import WeightsFile
from voxbench.records.cost import Cost, compute_hours
from voxbench.records.predictions import prediction_path
from voxbench.records.record import CaseScores, Data, LoadAudit, Record, Weights
from voxbench.run.bind import BoundCell
from voxbench.run.unfinished import unfinished_record
from voxbench.run.worker import Worker, why_failed

_COST = ("volumes", "masks", "gpu_hours", "cpu_hours")


class _Data(NamedTuple):
    card: TaskCard
    split: Split
    prepared: Mapping[str, PreparedCase]


def run_cell(bound: BoundCell, worker: Worker) -> Record:
    """Run a cell and give its record; a failure is a record too."""
    record = unfinished_record(bound, worker)
    try:
        _fill(record, bound, worker)
    except Exception as error:  # noqa: BLE001 (one cell never stops the others)
        record.failure = why_failed(error)
    return record


def _fill(record: Record, bound: BoundCell, worker: Worker) -> None:
    started = time.perf_counter()
    cell = bound.cell
    data = _data(bound.dataset, cell.contract)
    chosen = _subset(cell, data, record.seeds["subset"])
    test = data.split.test[: cell.limit]
    record.data = _stamp(bound.dataset, chosen, test)

    network, record.weights = _network(bound, worker, record.seeds)

    def score(cases: Sequence[Case], keep: bool = False) -> list[CaseScores]:
        card, recipe, device = data.card, cell.recipe, worker.device
        predicted = network.shared if isinstance(network, Direct) else card.classes
        return [
            score_case(
                network, case, data.prepared[case.id], card, recipe, device, predicted,
                prediction_path(worker.root, record.key, case.id) if keep else None,
            )
            for case in cases
        ]  # fmt: skip

    def validate() -> float:
        return _mean_dice(score(chosen.validation))

    if isinstance(network, Direct):
        training = Training({}, {}, seconds=0.0, steps=0)
    else:
        training = _fit(network, cell, data, chosen, validate, record, worker)
    record.training, record.validation = training.losses, training.validation

    predicting = time.perf_counter()
    record.cases = score(test, worker.predictions)
    if all(case.failure for case in record.cases):
        raise FitError(f"every prediction failed, the first with {record.cases[0].failure}")
    done = time.perf_counter()
    record.cost = _cost(network, training, done - started, done - predicting, worker)
    record.status = "ok"


@lru_cache(maxsize=16)
def _data(dataset: Dataset, contract: Preprocessing | None) -> _Data:
    """A task's prepared cases; a worker that runs many cells looks them up once."""
    split, card = dataset.split, dataset.card
    cases = [*split.train, *split.validation, *split.test]
    prepared = prepare_cases(dataset.task, cases, contract or card.preprocessing)
    return _Data(card, split, prepared)


def _subset(cell: Cell, data: _Data, seed: int) -> Subset:
    present = {name: case.present for name, case in data.prepared.items()}
    return draw_subset(data.split, cell.fraction, seed, present)


def _stamp(dataset: Dataset, chosen: Subset, test: Sequence[Case]) -> Data:
    return Data(
        fingerprint=dataset.identity,
        split_sha256=dataset.split.sha256,
        train=[case.id for case in chosen.train],
        validation=[case.id for case in chosen.validation],
        test=[case.id for case in test],
        train_patients=len({case.patient for case in chosen.train}),
    )


def _network(
    bound: BoundCell, worker: Worker, seeds: Mapping[str, int]
) -> tuple[Segmenter | Direct, Weights | None]:
    """The network on its device, with its weights loaded and audited."""
    baseline, card = bound.baseline, bound.dataset.card
    channels, classes = len(card.channels), list(card.classes)
    torch.manual_seed(seeds["initialisation"])
    network: Segmenter | Direct = Segmenter(baseline.backbone(channels), len(classes))
    backbone = network.backbone
    backbone.check_patch(bound.cell.recipe.patch)
    weights = None
    if isinstance(baseline, Published) and isinstance(bound.weights, WeightsFile):
        path, sha256 = bound.weights
        trusted = path.resolve() in worker.trust
        content = read_weights(path, sha256, trust=trusted)
        audit = _load(backbone, baseline.translate(content, backbone), baseline, channels)
        weights = Weights(origin=path.name, sha256=sha256, audit=audit, trusted=trusted)
        if bound.cell.adaptation == "direct":
            if audit.loaded_total_share < 1:
                raise WeightsError(
                    f"{path.name}: {1 - audit.loaded_total_share:.1%} of the network's parameters "
                    "are not in the file: its head can't be used without training."
                )
            head = baseline.head(content, backbone)
            network = Direct(backbone, head, baseline.card.outputs, classes)
    elif isinstance(baseline, Pretrained) and isinstance(bound.weights, PretrainingPlan):
        made = make_weights(bound.weights, device=worker.device, threads=worker.threads)
        weights = Weights(
            origin=f"{baseline.card.name} on {baseline.source}",
            sha256=made.sha256,
            audit=_load(backbone, read_weights(made.path), baseline, channels),
            **{name: getattr(made.cost, name) for name in _COST},
        )
    return network.to(worker.device), weights


def _load(
    backbone: Backbone,
    tensors: Mapping[str, Tensor],
    baseline: Published | Pretrained,
    channels: int,
) -> LoadAudit:
    if not baseline.decoder:
        tensors = {k: tensor for k, tensor in tensors.items() if k.startswith("encoder.")}
    floor = baseline.card.min_loaded
    return load_weights(backbone, tensors, min_loaded=floor, in_channels=channels)


def _fit(
    network: Segmenter,
    cell: Cell,
    data: _Data,
    chosen: Subset,
    validate: Callable[[], float],
    record: Record,
    worker: Worker,
) -> Training:
    recipe, seeds, card = cell.recipe, record.seeds, data.card
    patches = Patches(
        [data.prepared[case.id] for case in chosen.train],
        card.classes,
        recipe.patch,
        recipe.batch,
        recipe.foreground,
        seeds["order"],
    )
    mirrors = mirror_axes(card.classes, (cell.contract or card.preprocessing).axes)
    moved = groups(network, cell.adaptation, recipe)
    if recipe.channels_last:
        network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    forward: Callable[[Any], Any] = torch.compile(network) if recipe.compile else network
    return train(
        network,
        lambda batch: segmentation_loss(forward(batch[0]), batch[1], batch[2], recipe.loss),
        lambda step: augment(
            patches.batch(step), recipe.augmentation, seeds["augmentation"], step, mirrors
        ),
        recipe,
        seed=seeds["training"],
        device=worker.device,
        checkpoint=worker.root / "checkpoints" / f"{record.key}.ckpt",
        groups=moved,
        validate=validate if recipe.selection == "best" else None,
    )


def _mean_dice(cases: Sequence[CaseScores]) -> float:
    values = [score.dice for case in cases for score in case.classes.values()]
    defined = [value for value in values if not math.isnan(value)]
    return fmean(defined) if defined else 0.0


def _cost(
    network: nn.Module, training: Training, seconds: float, predicting: float, worker: Worker
) -> Cost:
    peak = (
        torch.cuda.max_memory_allocated() / 2**20
        if worker.device.startswith("cuda")
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    )
    return Cost(
        seconds=seconds,
        fit_seconds=training.seconds,
        predict_seconds=predicting,
        steps=training.steps,
        peak_memory_mb=peak,
        parameters=sum(p.numel() for p in network.parameters()),
        **compute_hours(seconds, worker.device, worker.threads)._asdict(),
    )
