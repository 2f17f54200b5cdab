"""One cell, from its data to its record: the whole story on one screen."""

import math
import resource
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from statistics import fmean
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from voxbench.api import Case, Pretrained, Published, Task
from voxbench.data.augment import augment, mirror_axes
from voxbench.data.cache import PreparedCase
from voxbench.data.fraction import Subset, draw_subset
from voxbench.data.patches import Patches
from voxbench.data.prepare import prepare_cases
from voxbench.data.split import Split, split_cases
from voxbench.design.cell import Cell, Ref
from voxbench.design.preprocessing import Preprocessing
from voxbench.errors import FitError, VoxbenchError, WeightsError
from voxbench.fit.adapt import groups
from voxbench.fit.loop import Training, train
from voxbench.fit.loss import segmentation_loss
from voxbench.model.audit import load_weights
from voxbench.model.backbones import Backbone
from voxbench.model.direct import Direct
from voxbench.model.segmenter import Segmenter
from voxbench.model.weights import read_weights
from voxbench.plugins import find_baseline, find_task
from voxbench.predict.case import score_case
from voxbench.pretrain.engine import Made, make
from voxbench.published.file import verified_file
from voxbench.records.cost import Cost, compute_hours
from voxbench.records.predictions import prediction_path
from voxbench.records.record import CaseScores, Data, LoadAudit, Record, Weights
from voxbench.run.blank import blank
from voxbench.run.jobs import Place
from voxbench.run.plan import Planned, data_identity

_MADE = ("sha256", "volumes", "masks", "gpu_hours", "cpu_hours")


class _Data(NamedTuple):
    task: Task
    split: Split
    prepared: Mapping[str, PreparedCase]


def run(planned: Planned, place: Place) -> Record:
    """Run a cell and give its record; a failure is a record too."""
    record = blank(planned, place)
    try:
        _fill(record, planned.arranged.cell, place)
    except VoxbenchError as error:
        record.failure = str(error)
    except Exception:  # noqa: BLE001 (one cell never stops the others)
        record.failure = traceback.format_exc(limit=-8)
    return record


def pretrain(cell: Cell, place: Place) -> str | None:
    """Make the weights that a cell needs; why that failed, if it did."""
    try:
        _make(cell, place)
    except VoxbenchError as error:
        return str(error)
    except Exception:  # noqa: BLE001 (one pre-training never stops the others)
        return traceback.format_exc(limit=-8)
    return None


def _fill(record: Record, cell: Cell, place: Place) -> None:
    started = time.perf_counter()
    data = _data(cell.task, cell.contract)
    chosen = _subset(cell, data, record.seeds["subset"])
    test = data.split.test[: cell.limit]
    record.data = _stamp(data_identity(cell.task), data.split, chosen, test)

    network, record.weights = _network(cell, data.task, place, record.seeds)

    def score(cases: Sequence[Case], keep: bool = False) -> list[CaseScores]:
        card, recipe, device = data.task.card, cell.recipe, place.device
        predicted = network.shared if isinstance(network, Direct) else card.classes
        return [
            score_case(
                network, case, data.prepared[case.id], card, recipe, device, predicted,
                prediction_path(place.root, record.key, case.id) if keep else None,
            )
            for case in cases
        ]  # fmt: skip

    def validate() -> float:
        return _mean_dice(score(chosen.validation))

    if isinstance(network, Direct):
        training = Training({}, {}, seconds=0.0, steps=0)
    else:
        training = _fit(network, cell, data, chosen, validate, record, place)
    record.training, record.validation = training.losses, training.validation

    predicting = time.perf_counter()
    record.cases = score(test, place.predictions)
    if all(case.failure for case in record.cases):
        raise FitError(f"every prediction failed, the first with {record.cases[0].failure}")
    done = time.perf_counter()
    record.cost = _cost(network, training, done - started, done - predicting, place)
    record.status = "ok"


@lru_cache(maxsize=16)
def _data(task: Ref, contract: Preprocessing | None) -> _Data:
    """A task's prepared cases; a worker that runs many cells looks them up once."""
    found = find_task(task)
    split = split_cases(found)
    cases = [*split.train, *split.validation, *split.test]
    return _Data(found, split, prepare_cases(found, cases, contract or found.card.preprocessing))


def _subset(cell: Cell, data: _Data, seed: int) -> Subset:
    present = {name: case.present for name, case in data.prepared.items()}
    return draw_subset(data.split, cell.fraction, seed, present)


def _stamp(identity: str, split: Split, chosen: Subset, test: Sequence[Case]) -> Data:
    return Data(
        fingerprint=identity,
        split_sha256=split.sha256,
        train=[case.id for case in chosen.train],
        validation=[case.id for case in chosen.validation],
        test=[case.id for case in test],
        train_patients=len({case.patient for case in chosen.train}),
    )


def _network(
    cell: Cell, task: Task, place: Place, seeds: Mapping[str, int]
) -> tuple[Segmenter | Direct, Weights | None]:
    """The network on its device, with its weights loaded and audited."""
    baseline = find_baseline(cell.baseline)
    channels, classes = len(task.card.channels), list(task.card.classes)
    torch.manual_seed(seeds["initialisation"])
    network: Segmenter | Direct = Segmenter(baseline.backbone(channels), len(classes))
    backbone = network.backbone
    backbone.check_patch(cell.recipe.patch)
    weights = None
    if isinstance(baseline, Published):
        path, sha256 = verified_file(baseline)
        trusted = path.resolve() in place.trust
        content = read_weights(path, sha256, trust=trusted)
        audit = _load(backbone, baseline.translate(content, backbone), baseline, channels)
        weights = Weights(origin=path.name, sha256=sha256, audit=audit, trusted=trusted)
        if cell.adaptation == "direct":
            if audit.loaded_total_share < 1:
                raise WeightsError(
                    f"{path.name}: {1 - audit.loaded_total_share:.1%} of the network's parameters "
                    "are not in the file: its head can't be used without training."
                )
            head = baseline.head(content, backbone)
            network = Direct(backbone, head, baseline.card.outputs, classes)
    elif isinstance(baseline, Pretrained):
        made = _make(cell, place)
        weights = Weights(
            origin=f"{baseline.card.name} on {baseline.source}",
            audit=_load(backbone, read_weights(made.path), baseline, channels),
            **{name: getattr(made, name) for name in _MADE},
        )
    return network.to(place.device), weights


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


def _make(cell: Cell, place: Place) -> Made:
    baseline = find_baseline(cell.baseline)
    if not (isinstance(baseline, Pretrained) and cell.source and cell.pretraining):
        raise TypeError(f"{cell.baseline.name} has nothing to pre-train")
    source = find_task(cell.source)
    return make(baseline, source, cell.pretraining, device=place.device, threads=place.threads)


def _fit(
    network: Segmenter,
    cell: Cell,
    data: _Data,
    chosen: Subset,
    validate: Callable[[], float],
    record: Record,
    place: Place,
) -> Training:
    recipe, seeds, card = cell.recipe, record.seeds, data.task.card
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
        device=place.device,
        checkpoint=place.root / "checkpoints" / f"{record.key}.ckpt",
        groups=moved,
        validate=validate if recipe.selection == "best" else None,
    )


def _mean_dice(cases: Sequence[CaseScores]) -> float:
    values = [score.dice for case in cases for score in case.classes.values()]
    defined = [value for value in values if not math.isnan(value)]
    return fmean(defined) if defined else 0.0


def _cost(
    network: nn.Module, training: Training, seconds: float, predicting: float, place: Place
) -> Cost:
    peak = (
        torch.cuda.max_memory_allocated() / 2**20
        if place.device.startswith("cuda")
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    )
    return Cost(
        seconds=seconds,
        fit_seconds=training.seconds,
        predict_seconds=predicting,
        steps=training.steps,
        peak_memory_mb=peak,
        parameters=sum(p.numel() for p in network.parameters()),
        **compute_hours(seconds, place.device, place.threads)._asdict(),
    )
