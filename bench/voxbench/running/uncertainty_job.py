"""Validation and test cases of finished cells, predicted again by a prediction model."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from voxbench.api import IGNORED, Case
from voxbench.data.cache import PreparedCase
from voxbench.data.cell_data import CellData, load_cell_data
from voxbench.data.content_hash import check_unchanged
from voxbench.data.doubt_map import doubt_path, keep_doubt
from voxbench.data.external_test import ExternalTest
from voxbench.data.prepare import prepare_cases
from voxbench.data.volumes import read_raters, read_reference
from voxbench.environment import environment
from voxbench.predict.case import score_prediction
from voxbench.predict.external import score_shared
from voxbench.predict.members import MODELS, Subject
from voxbench.progress import Stage, tell
from voxbench.records.case_scores import CaseScores
from voxbench.records.uncertainty import UncertainCase, UncertaintyRecord, UncertaintyRecords
from voxbench.running.ensemble import KeptNetworks
from voxbench.running.jobs import UncertaintyJob
from voxbench.running.kept import load_kept
from voxbench.running.predicted import predicted
from voxbench.running.worker import Worker
from voxbench.score.uncertainty.case import Predicted, Question
from voxbench.score.uncertainty.judged import judge_case
from voxbench.score.uncertainty.validation import NOTHING, Validation, learn
from voxbench.uncertainty.calibration import Reliability


class _Seen(NamedTuple):
    case: Case
    said: Predicted
    scored: CaseScores


def run_uncertainty(job: UncertaintyJob, worker: Worker) -> None:
    """Predict validation cases and learn from them, then test cases; store what is asked of each.

    Validation cases are left out where nothing that is asked for is learnt from them.

    Then those of the external test sets, of which nothing is learnt either.

    Raises:
        DataError: a file is not what it was when the sweep was planned.
        WeightsError: kept weights are damaged.
    """
    records = UncertaintyRecords(worker.root)
    if job.id in records:  # by another process meanwhile
        return
    process, started, first = os.getpid(), time.perf_counter(), job.cells[0]
    data = load_cell_data(first.cell, first.trainings.dataset, first.trainings.preprocessing)
    subject = _subject_of(job, worker, data)
    asked = job.table.measures, job.table.aggregations, job.table.applications
    question = Question(_classes(data), IGNORED, *asked, job.table.by_class)
    learnt, validation = NOTHING, list[UncertainCase]()

    def apart() -> Iterator[Predicted]:
        for one in _seen(data.validation, subject, data, job):
            validation.append(_kept(one, question, NOTHING))
            yield one.said

    if data.validation and question.learns:
        learnt = learn(apart(), question)
    test = []
    for one in _seen(data.test, subject, data, job):
        test.append(_kept(one, question, learnt))
        if worker.predictions:
            _keep_maps(one, data, job, worker)
    external = {
        one.name: [_kept(seen, question, learnt) for seen in _there(one, subject, data, job)]
        for one in job.tests
    }
    record = UncertaintyRecord(
        key=job.id,
        smoke=first.cell.limit is not None,
        sweep=worker.sweep,
        cells=[cell.key for cell in job.cells],
        arm=first.arm,
        seeds=[cell.seed for cell in job.cells],
        model=(job.model.name, job.model.without_locations().values),
        asked=job.table.asked,
        validation=validation,
        test=test,
        external=external,
        passes=MODELS.make(job.model).runs(len(job.cells), len(data.mirrored)),
        seconds=time.perf_counter() - started,
        environment=environment(worker.device, worker.threads),
    )
    if os.getpid() == process:  # and not a copy that a plugin forked
        records.write(record)


def _subject_of(
    job: UncertaintyJob, worker: Worker, data: CellData
) -> Callable[[PreparedCase], Subject]:
    """What gives a prepared case together with the networks that predict it."""
    first = job.cells[0]
    networks: Sequence[nn.Module] = KeptNetworks(job.cells, worker.root, worker.device)
    if not MODELS.make(job.model).ensembles:
        networks = [load_kept(first, worker.root, worker.device)]
    how = first.cell.recipe, worker.device, data.mirrored, first.seed
    return lambda prepared: Subject(networks, prepared, *how)


def _seen(
    cases: Sequence[Case],
    subject: Callable[[PreparedCase], Subject],
    data: CellData,
    job: UncertaintyJob,
) -> Iterator[_Seen]:
    """Cases of the task, predicted and scored."""
    for done, case in enumerate(cases, start=1):
        reference = read_reference(case, data.card)
        raters = read_raters(case, data.card, reference).values() or (reference,)
        seen = subject(data.prepared[case.id])
        said = _predict(seen, job, [one.array for one in raters], reference.spacing_mm)
        scored = score_prediction(partial(_labels, said), case, data.card, data.card.classes)
        yield _Seen(case, said, scored)
        check_unchanged(data.files, case.files[len(case.images) :])
        tell(Stage("predicting", done, len(cases)))


def _there(
    test: ExternalTest,
    subject: Callable[[PreparedCase], Subject],
    data: CellData,
    job: UncertaintyJob,
) -> Iterator[_Seen]:
    """Cases of an external test set, prepared as those of the task; their doubt has no raters."""
    first = job.cells[0]
    cases, files = test.cases[: first.cell.limit], test.dataset.files
    check_unchanged(files, [path for case in cases for path in case.files])
    prepared = prepare_cases(test.dataset.card, cases, first.trainings.preprocessing)
    for done, case in enumerate(cases, start=1):
        spacing_mm = read_reference(case, test.dataset.card).spacing_mm
        said = _predict(subject(prepared[case.id]), job, [], spacing_mm)
        yield _Seen(case, said, score_shared(said.labels, case, data.card, test, data.card.classes))
        check_unchanged(files, case.files[len(case.images) :])
        tell(Stage(f"predicting {test.name}", done, len(cases)))


def _keep_maps(seen: _Seen, data: CellData, job: UncertaintyJob, worker: Worker) -> None:
    affine = np.array(data.prepared[seen.case.id].grid.affine)
    for measure, found in seen.said.maps.items():
        path = doubt_path(worker.root, job.id, measure, seen.case.id)
        keep_doubt(path, measure, found, len(seen.said.mean), affine)


def _labels(said: Predicted) -> NDArray[np.uint8]:
    return said.labels


def _predict(
    subject: Subject,
    job: UncertaintyJob,
    raters: Sequence[NDArray[Any]],
    spacing_mm: tuple[float, ...],
) -> Predicted:
    wanted = "pairwise Dice" in job.table.aggregations or len(raters) > 1
    return predicted(
        job.model,
        subject,
        job.table.measures,
        spacing_mm,
        raters,
        each=wanted,
        by_class=job.table.by_class,
    )


def _classes(data: CellData) -> dict[str, int]:
    """What the network tells apart, by its index."""
    return {name: index for index, name in enumerate(data.card.parts, start=1)}


def _kept(seen: _Seen, question: Question, learnt: Validation) -> UncertainCase:
    """What is asked of a case, without its volumes."""
    found = judge_case(seen.case.id, seen.case.patient, seen.said, question, learnt)
    return UncertainCase(
        scored=seen.scored,
        scores={measure: dict(own) for measure, own in found.scores.items()},
        errors={name: dict(own) for name, own in found.errors.items()},
        missed=dict(found.missed),
        agreement=found.agreement,
        correlations=dict(found.correlations),
        distance=found.distance,
        reliability=_bins(found.reliability),
        shift=seen.case.shift or "",
    )


def _bins(found: Reliability | None) -> tuple[list[float], ...]:
    return tuple(row.tolist() for row in found) if found else ()
