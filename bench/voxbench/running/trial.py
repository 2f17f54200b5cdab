"""One trial of a tuning, from its data to its record; it has no test cases to look at."""

import math
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from voxbench.data.cell_data import CellData, load_folds
from voxbench.data.folds import folds_hash
from voxbench.data.fraction import Subset
from voxbench.design.cell import Cell, digest
from voxbench.design.recipe import Recipe
from voxbench.environment import environment
from voxbench.errors import FitError, SpecError
from voxbench.fit.loop import FitResult
from voxbench.fit.segmenter import fit_network
from voxbench.predict.case import score_cases
from voxbench.records.case_scores import CaseScores
from voxbench.records.cost import Cost
from voxbench.records.trials import TrialRecord, Trials, TrialState
from voxbench.running.bound import BoundCell
from voxbench.running.cell import cost_of
from voxbench.running.jobs import TrialJob
from voxbench.running.network import load_network
from voxbench.running.worker import Worker
from voxbench.tuning.journal import Journal, Trial


def run_trial(job: TrialJob, worker: Worker) -> None:
    """Ask what to try, train, judge by validation cases, and store how it ended.

    A trial that was stopped goes on where it was: with its values, behind the folds that are done.
    One that diverges is over with the worst score.
    """
    process = os.getpid()
    trials, own = Trials(worker.root), job.cell
    if trials.path(job.id).exists():  # by another process meanwhile
        return
    folder = worker.root / "tuning" / job.study
    folds = load_folds(own.cell, own.trainings.dataset, own.trainings.preprocessing)
    looks = _looks(own.cell.recipe) * len(folds)
    journal = Journal(folder / "journal.log", job.tuning, looks)
    trial = journal.ask(job.number, trials.of(job.study))
    bound = _bound(own, trial)
    record = _begun(job, bound, trial, folds, worker)
    checkpoints = folder / f"{job.number:04d}-{digest(trial.values)[:8]}"
    ends = [*_ends(bound, trial, folds, worker, checkpoints)]
    _judge(record, trial, ends)
    if os.getpid() == process:  # and not a copy that a plugin forked
        trials.write(record)
        journal.tell(record)
        shutil.rmtree(checkpoints, ignore_errors=True)


def _bound(own: BoundCell, trial: Trial) -> BoundCell:
    made = own.trainings.with_values(trial.values)
    alone = replace(made, cell=_on_one_device(made.cell))
    return BoundCell(alone, own.draw, own.seed, own.key)


def _on_one_device(cell: Cell) -> Cell:
    """The same result from one device, in steps of what each of several would compute at once."""
    recipe = cell.recipe
    if recipe.devices == 1:
        return cell
    share = recipe.micro_batch or recipe.batch // recipe.devices
    alone = recipe.model_copy(update={"devices": 1, "micro_batch": share})
    return cell.model_copy(update={"recipe": alone})


def _begun(
    job: TrialJob, bound: BoundCell, trial: Trial, folds: Sequence[CellData], worker: Worker
) -> TrialRecord:
    return TrialRecord(
        study=job.study,
        number=job.number,
        budget=job.tuning.trials,
        smoke=bound.cell.limit is not None,
        sweep=worker.sweep,
        arm=bound.arm,
        cell=bound.cell.to_json(),
        tuning=job.tuning.told,
        values=trial.values,
        validation=folds_hash([Subset(fold.train, fold.validation) for fold in folds]),
        folds=len(folds),
        environment={
            **environment(worker.device, worker.threads),
            "optuna": metadata.version("optuna"),
        },
    )


class _End(NamedTuple):
    """How a fold ended; see `TrialRecord`."""

    state: TrialState
    scores: dict[str, float]
    cost: dict[str, Any]
    failure: str | None = None


def _ends(
    bound: BoundCell, trial: Trial, folds: Sequence[CellData], worker: Worker, checkpoints: Path
) -> Iterator[_End]:
    """Each fold until one is not complete; those that are done are not trained again."""
    done: list[float] = []
    for fold, data in enumerate(folds):
        kept = trial.kept(fold)
        if kept is not None:
            end = _End(**kept)
        else:
            end = _fold(bound, trial, data, done, worker, checkpoints / f"{fold}.ckpt")
            trial.keep(fold, end._asdict())
        yield end
        if end.state != "complete":
            return
        done.append(_mean(end.scores.values()))


def _fold(
    bound: BoundCell,
    trial: Trial,
    data: CellData,
    done: Sequence[float],
    worker: Worker,
    checkpoint: Path,
) -> _End:
    """Train and judge once; `done` are the scores of the folds before."""
    started, recipe = time.perf_counter(), bound.cell.recipe
    before, pruned = len(done) * _looks(recipe), False

    def hopeless(look: int, score: float) -> bool:
        nonlocal pruned
        pruned = trial.hopeless(before + look, _mean([*done, score]))
        return pruned

    network, _ = load_network(bound, worker)
    try:
        fitted = fit_network(
            network, bound.cell, data, worker.device, checkpoint, hopeless=hopeless
        )
    except (FitError, SpecError) as error:
        seconds = time.perf_counter() - started
        cost = cost_of(network, FitResult.nothing(seconds), seconds, 0.0, worker)
        return _End("failed", {}, cost.model_dump(), str(error))
    predicting, scores = time.perf_counter(), {}
    if not pruned:
        scores = _scores(score_cases(network, data.validation, data, recipe, worker.device))
    ended = time.perf_counter()
    seconds = max(ended - started, fitted.seconds + ended - predicting)
    cost = cost_of(network, fitted, seconds, ended - predicting, worker)
    return _End("pruned" if pruned else "complete", scores, cost.model_dump())


def _looks(recipe: Recipe) -> int:
    """The most validations of a training: one may follow the last step."""
    return recipe.validations + 1


def _scores(cases: Iterable[CaseScores]) -> dict[str, float]:
    """Patient → mean over cases of the mean Dice of the classes that are defined."""
    found: dict[str, list[float]] = defaultdict(list)
    for case in cases:
        found[case.patient].append(_mean(score.dice for score in case.classes.values()))
    return {patient: _mean(own) for patient, own in found.items()}


def _mean(values: Iterable[float]) -> float:
    """Of those that are defined; NaN where none is."""
    defined = [value for value in values if not math.isnan(value)]
    return fmean(defined) if defined else math.nan


def _judge(record: TrialRecord, trial: Trial, ends: Sequence[_End]) -> None:
    """What all folds come to."""
    record.state, record.failure = ends[-1].state, ends[-1].failure
    record.curve = trial.curve
    record.scores = {patient: score for end in ends for patient, score in end.scores.items()}
    record.cost = _sum([Cost.model_validate(end.cost) for end in ends])
    if record.state == "complete":
        score = _mean(record.scores.values())
        record.score = 0.0 if math.isnan(score) else score
    elif record.state == "pruned":
        record.score = trial.curve[max(trial.curve)]


def _sum(costs: Sequence[Cost]) -> Cost:
    total = {name: sum(getattr(cost, name) for cost in costs) for name in Cost.model_fields}
    for name in ("peak_memory_mb", "parameters"):
        total[name] = max(getattr(cost, name) for cost in costs)
    return Cost(**total)
