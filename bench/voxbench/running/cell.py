"""One cell, from its data to its record: the whole story on one screen."""

import os
import time
from functools import partial
from typing import Any, Literal

from torch import nn

from voxbench.api import TaskCard
from voxbench.data.cell_data import CellData, load_cell_data
from voxbench.errors import FitError
from voxbench.fit.loop import FitResult
from voxbench.memory import peak_memory_mb
from voxbench.predict.case import score_cases
from voxbench.pretrain.plan import PretrainingPlan
from voxbench.records import Store
from voxbench.records.cost import Cost, compute_hours
from voxbench.records.places import without_places
from voxbench.records.predictions import describe_predictions, prediction_path
from voxbench.records.provenance import Data
from voxbench.records.record import Record
from voxbench.running.bound import BoundCell
from voxbench.running.fitting import fit_cell
from voxbench.running.kept import keep_weights
from voxbench.running.network import load_network
from voxbench.running.worker import Worker


def run_cell(record: Record, bound: BoundCell, worker: Worker) -> None:
    """Data, network, fit, predict, score: each fills its part of the cell's record, then stored."""
    process = os.getpid()
    cell, device = bound.cell, worker.device
    started = time.perf_counter()
    data = load_cell_data(cell, bound.trainings.dataset, bound.trainings.preprocessing)
    record.data, record.cards = _told(data, bound), _cards(bound)

    network, record.weights = load_network(bound, worker)

    checkpoint = worker.root / "checkpoints" / f"{bound.key}.ckpt"
    fitted = fit_cell(network, bound, data, worker, checkpoint)
    record.training, record.validation = fitted.losses, fitted.validation
    if fitted.validation:
        record.validation_of = "cases" if cell.recipe.selection == "best" else "windows"

    if (worker.weights or bound.trainings.tests) and cell.is_trained:
        keep_weights(network, worker.root, bound.key)

    predicting = time.perf_counter()
    keep = partial(prediction_path, worker.root, bound.key) if worker.predictions else None
    record.cases = score_cases(network, data.test, data, cell.recipe, device, keep)
    if worker.predictions:
        describe_predictions(worker.root, bound.key, data.card.classes)
    if all(case.failure for case in record.cases):
        raise FitError(f"every prediction failed, the first with {record.cases[0].failure}")

    done = time.perf_counter()
    parts = fitted.seconds + done - predicting  # of a training that was stopped, also before that
    seconds = max(done - started, parts)
    record.cost = cost_of(network, fitted, seconds, done - predicting, worker, cell.devices)
    record.status = "ok"
    if os.getpid() == process:  # and not a copy that a plugin forked
        Store(worker.root).write(record)
        checkpoint.unlink(missing_ok=True)


def _told(data: CellData, bound: BoundCell) -> Data:
    cell, dataset = bound.cell, bound.trainings.dataset
    augmented = cell.is_trained and cell.recipe.augmentation != "none"
    return Data(
        fingerprint=dataset.identity,
        split_sha256=dataset.partition or dataset.split.sha256,
        train=[case.id for case in data.train],
        validation=[case.id for case in data.validation],
        test=[case.id for case in data.test],
        train_patients=len({case.patient for case in data.train}),
        mirrored=dataset.mirroring.axes if augmented else "",
        notes=[*dataset.notes, *filter(None, [bound.trainings.planned])],
    )


def _cards(bound: BoundCell) -> dict[Literal["task", "source"], dict[str, Any]]:
    """As their plugins tell them, without what is as usual and without places."""
    weights = bound.trainings.weights
    cards: dict[Literal["task", "source"], TaskCard] = {"task": bound.trainings.dataset.card}
    if isinstance(weights, PretrainingPlan):
        cards["source"] = weights.source.card
    return {
        part: {
            name: without_places(value) if isinstance(value, str) else value
            for name, value in card.model_dump(mode="json", exclude_defaults=True).items()
        }
        for part, card in cards.items()
    }


def cost_of(
    network: nn.Module,
    fitted: FitResult,
    seconds: float,
    predicting: float,
    worker: Worker,
    devices: int = 1,
) -> Cost:
    """What a training took, of whose seconds so many went into predicting."""
    return Cost(
        seconds=seconds,
        fit_seconds=fitted.seconds,
        predict_seconds=predicting,
        steps=fitted.steps,
        peak_memory_mb=max(fitted.peak_memory_mb, peak_memory_mb(worker.device)),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        **compute_hours(seconds, worker.device, worker.threads, devices)._asdict(),
    )
