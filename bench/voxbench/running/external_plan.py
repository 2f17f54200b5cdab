"""What a sweep still has to score on external test sets."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from voxbench.data.external_test import ExternalTest
from voxbench.records import Store
from voxbench.records.external import external_store
from voxbench.records.glance import Glance
from voxbench.records.kept import weights_path
from voxbench.running.bound import BoundCell
from voxbench.running.jobs import CellJob, ExternalJob, Job
from voxbench.running.plan import Planned, State


@dataclass(frozen=True)
class PlannedExternal:
    """A cell of the plan on an external test set.

    Attributes:
        cell: of the plan.
        test: the set.
        state: as that of a cell.
        reason: of a skip or a failure, or what has to come before.
        ready: its network is there.
    """

    cell: Planned
    test: ExternalTest
    state: State
    reason: str | None
    ready: bool

    @property
    def key(self) -> str:
        """Of its record; empty if it is skipped."""
        return self.test.key(self.cell.key) if self.cell.key else ""

    @property
    def untrained(self) -> bool:
        """The cell is finished and its weights were not kept: it has to be trained again."""
        return self.state == "missing" and self.cell.state == "cached" and not self.ready


def plan_external(planned: Sequence[Planned], root: Path) -> list[PlannedExternal]:
    """Look all external test sets of a plan up among the records of an output folder.

    Raises:
        RecordError: a stored record is damaged.
    """
    if not any(one.cell.trainings.tests for one in planned):
        return []
    known = {found.key: found for found in external_store(root).glances()}
    return [
        _planned(one, test, known.get(test.key(one.key)), root)
        for one in planned
        for test in one.cell.trainings.tests
    ]


def _planned(one: Planned, test: ExternalTest, found: Glance | None, root: Path) -> PlannedExternal:
    ready = one.state == "cached" and _is_there(one.cell, root)
    if one.state == "skipped":
        return PlannedExternal(one, test, "skipped", one.reason, ready)
    if found is not None:
        state: State = "cached" if found.failure is None else "failed"
        return PlannedExternal(one, test, state, found.failure, ready)
    waits = None if ready else "to be trained first"
    if one.state == "cached" and not ready:
        waits = "trained before its weights were kept: trained again"
    return PlannedExternal(one, test, "missing", waits, ready)


def _is_there(cell: BoundCell, root: Path) -> bool:
    """Whether the network of a finished cell can be had without training."""
    return not cell.trainings.cell.is_trained or weights_path(root, cell.key).exists()


def external_jobs(planned: Iterable[PlannedExternal], *, retry_failed: bool) -> list[ExternalJob]:
    """Those that can be scored as things are."""
    wanted = ("missing", "failed") if retry_failed else ("missing",)
    return [
        ExternalJob(one.cell.cell, one.test, again=one.state == "failed")
        for one in planned
        if one.ready and one.state in wanted
    ]


def external_after(job: Job, root: Path) -> Iterator[ExternalJob]:
    """What may be scored now that a job is over: on the sets of the cell that it has finished."""
    if not isinstance(job, CellJob) or not job.cell.trainings.tests:
        return
    if Store(root).has_finished(job.id) and _is_there(job.cell, root):
        store = external_store(root)
        for test in job.cell.trainings.tests:
            if not store.path(test.key(job.id)).exists():
                yield ExternalJob(job.cell, test)
