"""Units of work that an engine hands out: weights to make first, then cells."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from voxbench.pretrain.plan import PretrainingPlan
from voxbench.records import Record, Store
from voxbench.run.bind import BoundCell
from voxbench.run.unfinished import unfinished_record
from voxbench.run.worker import Worker


@dataclass(frozen=True)
class PretrainingJob:
    """Weights to make, which cells or other weights wait for.

    Attributes:
        plan: of the pre-training.
        arm: what tables call the arm that has them.
        needs: id of the job that makes the donor's weights, if there is one.
    """

    plan: PretrainingPlan
    arm: str
    needs: str | None = None

    @property
    def id(self) -> str:
        """The name of the weights."""
        return self.plan.identity

    def __str__(self) -> str:
        """For progress lines."""
        return f"pre-training {self.arm}"


@dataclass(frozen=True)
class CellJob:
    """A cell to run.

    Attributes:
        cell: with all that it stands for.
    """

    cell: BoundCell

    @property
    def id(self) -> str:
        """The cell's key."""
        return self.cell.key

    @property
    def needs(self) -> str | None:
        """The id of the pre-training that comes first."""
        weights = self.cell.weights
        return weights.identity if isinstance(weights, PretrainingPlan) else None

    def __str__(self) -> str:
        """For progress lines."""
        arm = self.cell.arm
        return f"{arm.task} · {arm.baseline} · {arm.fraction} · draw {arm.draw} · seed {arm.seed}"


Job = PretrainingJob | CellJob


@dataclass(frozen=True)
class JobOutcome:
    """What became of a job: its record, if it is a cell, and why it failed, if it did."""

    job: Job
    record: Record | None
    failure: str | None = None


def jobs_for(cells: Iterable[BoundCell]) -> list[Job]:
    """The cells with the pre-trainings that they need, each once and first.

    Weights that are made from a donor's wait for the donor, if it is among the pre-trainings.
    """
    then = [CellJob(cell) for cell in cells]
    first: dict[str, PretrainingJob] = {}
    for job in then:
        if isinstance(plan := job.cell.weights, PretrainingPlan):
            donor = plan.donor.identity if plan.donor else None
            first.setdefault(plan.identity, PretrainingJob(plan, job.cell.arm.baseline, donor))
    made = [job if job.needs in first else replace(job, needs=None) for job in first.values()]
    return [*sorted(made, key=lambda job: job.needs is not None), *then]


def perform(job: Job, worker: Worker) -> JobOutcome:
    """Do a job in this process; a cell's record is stored before its outcome is told."""
    import torch

    from voxbench.run.cell import run_cell
    from voxbench.run.pretraining import run_pretraining

    torch.set_num_threads(worker.threads)
    if isinstance(job, PretrainingJob):
        return JobOutcome(job, None, run_pretraining(job.plan, worker))
    return _stored(job, run_cell(job.cell, worker), worker)


def give_up(job: Job, reason: str, worker: Worker) -> JobOutcome:
    """The outcome of a job whose worker died, or whose weights could not be made."""
    if isinstance(job, PretrainingJob):
        return JobOutcome(job, None, reason)
    record = unfinished_record(job.cell, worker)
    record.failure = reason
    return _stored(job, record, worker)


def _stored(job: CellJob, record: Record, worker: Worker) -> JobOutcome:
    """Store a record and tell what became of its job.

    A failure leaves the result of an earlier run, made again for its label maps, as it is.
    """
    store = Store(worker.root)
    known = store.read(record.key) if record.status == "failed" else None
    if known is None or known.status != "ok":
        store.write(record)
    return JobOutcome(job, record, record.failure)
