"""Units of work that an engine hands out: weights to make first, then cells."""

import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from voxbench.api import Pretrained
from voxbench.design.cell import Cell, Ref, digest
from voxbench.plugins import BASELINES, find_baseline
from voxbench.run.plan import Planned, data_identity

if TYPE_CHECKING:
    from voxbench.records import Record


@dataclass(frozen=True)
class Place:
    """Where a job runs.

    Attributes:
        root: the output folder.
        device: "cpu" or "cuda:N".
        threads: of the processor.
        sweep: its name.
        trust: resolved paths of weights files that may run code while they are read.
        predictions: keep the label maps of the test cases.
    """

    root: Path
    device: str
    threads: int
    sweep: str
    trust: tuple[Path, ...] = ()
    predictions: bool = False


@dataclass(frozen=True)
class Job:
    """A cell to run, or the pre-training that cells wait for.

    Attributes:
        id: the cell's key, or the identity of the weights.
        planned: the cell; of a pre-training, one of those that need it.
        pretraining: make the weights only.
        needs: id of the pre-training that comes first: a cell's own, or that of its donor.
    """

    id: str
    planned: Planned
    pretraining: bool = False
    needs: str | None = None

    def __str__(self) -> str:
        """For progress lines."""
        arm = self.planned.arranged.arm
        if self.pretraining:
            return f"pre-training {arm.baseline}"
        return f"{arm.task} · {arm.baseline} · {arm.fraction} · draw {arm.draw} · seed {arm.seed}"


@dataclass(frozen=True)
class Outcome:
    """What became of a job: its record, if it is a cell, and why it failed, if it did."""

    job: Job
    record: "Record | None"
    failure: str | None = None


def jobs(cells: Sequence[Planned]) -> list[Job]:
    """The cells with the pre-trainings that they need, each once and first.

    Weights that are made from a donor's wait for the donor, if it is among the pre-trainings.
    """
    first: dict[str, Job] = {}
    then = []
    for planned in cells:
        needs = _weights(planned)
        if needs:
            first.setdefault(needs, Job(needs, planned, pretraining=True, needs=_donor(planned)))
        then.append(Job(planned.key, planned, needs=needs))
    made = [_waiting(job, first) for job in first.values()]
    return [*sorted(made, key=lambda job: job.needs is not None), *then]


def work(job: Job, place: Place) -> Outcome:
    """Do a job in this process; a cell's record is stored before its outcome is told."""
    import torch

    from voxbench.run import cell

    torch.set_num_threads(place.threads)
    if job.pretraining:
        return Outcome(job, None, cell.pretrain(job.planned.arranged.cell, place))
    record = cell.run(job.planned, place)
    return finish(job, record, place)


def raise_file_limit() -> None:
    """Let this process hold the mapped arrays of a large task: two files a case."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def lost(job: Job, reason: str, place: Place) -> Outcome:
    """The outcome of a job whose worker died, or whose weights could not be made."""
    if job.pretraining:
        return Outcome(job, None, reason)
    from voxbench.run.blank import blank

    record = blank(job.planned, place)
    record.failure = reason
    return finish(job, record, place)


def finish(job: Job, record: "Record", place: Place) -> Outcome:
    """Store a record and tell what became of its job.

    A failure leaves the result of an earlier run, made again for its label maps, as it is.
    """
    from voxbench.records import Store

    store = Store(place.root)
    known = store.read(record.key) if record.status == "failed" else None
    if known is None or known.status != "ok":
        store.write(record)
    return Outcome(job, record, record.failure)


def _weights(planned: Planned) -> str | None:
    return _identity(planned.arranged.cell, planned.arranged.cell.baseline)


def _donor(planned: Planned) -> str | None:
    cell = planned.arranged.cell
    baseline = find_baseline(cell.baseline)
    if not (isinstance(baseline, Pretrained) and baseline.donor):
        return None
    return _identity(cell, BASELINES.complete(Ref.of(*baseline.donor)))


def _identity(cell: Cell, baseline: Ref) -> str | None:
    if cell.source is None or cell.pretraining is None:
        return None
    told = baseline.without("decoder").to_json()  # what a cell loads; the weights hold all
    schedule = cell.pretraining.model_dump(mode="json")
    return digest([told, data_identity(cell.source), schedule])


def _waiting(job: Job, first: Mapping[str, Job]) -> Job:
    return job if job.needs in first else replace(job, needs=None)
