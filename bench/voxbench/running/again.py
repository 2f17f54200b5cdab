"""What predicting again and rounds of active learning may take."""

from collections.abc import Sequence

from voxbench.design.cell import Ref
from voxbench.records.active import ActiveRecords
from voxbench.records.uncertainty import UncertaintyRecords
from voxbench.running.active import ActivePlan
from voxbench.running.bound import Trainings
from voxbench.running.jobs import ActiveJob, UncertaintyJob
from voxbench.running.passes import Again, by_finished, patches, windows
from voxbench.running.plan import Planned, expected_of
from voxbench.running.uncertainty import UncertaintyPlan


def seconds_of_predictions(
    plan: UncertaintyPlan, cells: Sequence[Planned]
) -> dict[str, float | None]:
    """Job → seconds that it took or may take.

    By those of the network that are done, else by its cells.
    """
    work = {job.id: _predicting(job) for job in plan.all}
    return _expected(work, UncertaintyRecords(plan.root), cells)


def seconds_of_rounds(plan: ActivePlan, cells: Sequence[Planned]) -> dict[str, float | None]:
    """Job → seconds that it took or may take, as of predictions."""
    work = {job.id: _round(job) for job in plan.all}
    return _expected(work, ActiveRecords(plan.root), cells)


def _expected(
    work: dict[str, Again],
    records: UncertaintyRecords | ActiveRecords,
    cells: Sequence[Planned],
) -> dict[str, float | None]:
    done = {key: records.read(key).seconds for key in work if key in records}
    finished = [(work[key], seconds) for key, seconds in done.items()]
    found = dict(zip(work, by_finished([*work.values()], finished), strict=True)) | done
    unknown = [key for key, seconds in found.items() if seconds is None]
    told = expected_of([work[key] for key in unknown], cells)
    return found | {
        key: seconds if isinstance(seconds, float) else None
        for key, seconds in zip(unknown, told, strict=True)
    }


def _predicting(job: UncertaintyJob) -> Again:
    """Validation and test cases, and those of external sets."""
    trainings = job.cells[0].trainings
    split, limit = trainings.dataset.split, trainings.cell.limit
    sets = (split.validation, split.test, *(test.cases for test in job.tests))
    cases = sum(len(own[:limit]) for own in sets)
    return Again(trainings, _runs(job.model, trainings, len(job.cells)) * windows(trainings, cases))


def _round(job: ActiveJob) -> Again:
    """A training as the cell's, and the pool: at most all training cases."""
    trainings, pool = job.cell.trainings, 0.0
    if job.strategy.measure:
        cases = len(trainings.dataset.split.train)
        pool = _runs(job.model, trainings, 1) * windows(trainings, cases)
    return Again(trainings, patches(trainings) + pool)


def _runs(model: Ref, trainings: Trainings, networks: int) -> int:
    from voxbench.predict.members import MODELS

    return MODELS.make(model).runs(networks, len(trainings.dataset.mirroring.axes))
