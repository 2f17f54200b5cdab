"""A trained network on an external test set, from its kept weights to a record of its own."""

import time

from torch import nn

from voxbench.data.external_test import ExternalTest
from voxbench.errors import DataError, FitError
from voxbench.fit.loop import FitResult
from voxbench.ledger.external import verdict_on
from voxbench.predict.external import score_external
from voxbench.pretrain.plan import PretrainingPlan
from voxbench.records import Record
from voxbench.records.external import external_store
from voxbench.records.provenance import Contamination
from voxbench.running.bound import BoundCell
from voxbench.running.cell import cost_of
from voxbench.running.kept import load_kept
from voxbench.running.network import load_network
from voxbench.running.worker import Worker


def score_on_external(record: Record, bound: BoundCell, test: ExternalTest, worker: Worker) -> None:
    """Network, predict, score, whether it was seen: fills the record, then stores it.

    Raises:
        WeightsError: the network's weights were not kept, or are damaged.
        DataError: a case can't be used, or none annotates a shared class.
        FitError: every prediction failed.
    """
    started = time.perf_counter()
    cell, dataset, cases = bound.cell, bound.trainings.dataset, test.cases[: bound.cell.limit]
    network = _trained(bound, worker)
    axes = dataset.mirroring.along(bound.trainings.preprocessing.axes)
    mirrored = axes if cell.recipe.test_time_mirroring else ()
    how = bound.trainings.preprocessing, cell.recipe, worker.device, mirrored
    record.cases = score_external(network, dataset.card, test, cases, *how)
    if not any(case.classes for case in record.cases):
        raise DataError(f"{test.name}: none of its {len(cases)} cases annotates a shared class.")
    if all(case.failure for case in record.cases):
        raise FitError(f"every prediction failed, the first with {record.cases[0].failure}")
    record.contamination = _seen(bound, test)
    seconds = time.perf_counter() - started
    record.cost = cost_of(network, FitResult.nothing(), seconds, seconds, worker)
    record.status = "ok"
    external_store(worker.root).write(record)


def _trained(bound: BoundCell, worker: Worker) -> nn.Module:
    """The network of a finished cell; one that is not trained is what its file says."""
    if not bound.cell.is_trained:
        return load_network(bound, worker)[0]
    return load_kept(bound, worker.root, worker.device)


def _seen(bound: BoundCell, test: ExternalTest) -> Contamination:
    weights = bound.trainings.weights
    seen = weights.members if isinstance(weights, PretrainingPlan) else ()
    return verdict_on(test, bound.trainings.dataset, bound.trainings.baseline, seen)
