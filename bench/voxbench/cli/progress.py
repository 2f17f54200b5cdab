"""What is seen of a running sweep: a live bar in a terminal, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from voxbench.records import Record
from voxbench.run.jobs import Job, JobOutcome
from voxbench.run.plan import Planned
from voxbench.run.remarks import remarks
from voxbench.run.watch import Watch


class Progress(Watch):
    """Counts jobs done, running and failed, and the time left."""

    def __init__(self, mirror: Callable[[Record], None] | None = None) -> None:
        self.console = Console(stderr=True)
        self.mirror = mirror
        self.running: dict[str, Job] = {}
        self.total = self.done = self.failed = 0
        self.since = time.monotonic()
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[state]}"),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.row: TaskID | None = None

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.stop()

    def planned(self, cells: Sequence[Planned], todo: Sequence[Job]) -> None:
        """Say what there is and what will run."""
        self.total = len(todo)
        counts = Counter(cell.state for cell in cells)
        said = ", ".join(f"{count} {state}" for state, count in counts.items())
        self.console.print(f"{len(cells)} cells: {said}; {self.total} jobs to run", highlight=False)
        self.since = time.monotonic()
        for line in remarks(cell.cell for cell in cells) if todo else ():
            self.console.print(f"note: {line}", highlight=False, markup=False, soft_wrap=True)
        if todo:
            self.row = self.bar.add_task("cells", total=self.total, state="")

    def started(self, job: Job) -> None:
        """A job has begun."""
        self.running[job.id] = job
        self._show()

    def finished(self, outcome: JobOutcome) -> None:
        """A job has ended; its record is stored."""
        self.running.pop(outcome.job.id, None)
        self.done += 1
        self.failed += outcome.failure is not None
        if self.mirror and outcome.record:
            self._copy(self.mirror, outcome.record)
        if outcome.failure:
            last = outcome.failure.strip().splitlines()[-1]
            self.console.print(f"failed: {outcome.job}: {last}", highlight=False, markup=False)
        elif not self.console.is_terminal:
            line = f"{self.done}/{self.total} {outcome.job} · {self._left()} left"
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)
        self._show()

    def close(self, cells: Sequence[Planned], root: Path) -> None:
        """Say how it ended."""
        counts = Counter(cell.state for cell in cells)
        said = ", ".join(f"{count} {state}" for state, count in counts.items())
        seconds = time.monotonic() - self.since
        self.console.print(f"{said} in {seconds:.0f} s: {root}", highlight=False)

    def _copy(self, mirror: Callable[[Record], None], record: Record) -> None:
        """Mirror a record; a mirror that breaks is left off, the sweep goes on."""
        try:
            mirror(record)
        except Exception as error:  # noqa: BLE001 (a client or a network may raise anything)
            self.console.print(f"no more mirroring: {error}", highlight=False, markup=False)
            self.mirror = None

    def _show(self) -> None:
        if self.row is None:
            return
        current = next(iter(self.running.values()), None)
        state = (
            f"{len(self.running)} running, {self.failed} failed, {self._left()} left · {current}"
        )
        self.bar.update(self.row, completed=self.done, state=state)

    def _left(self) -> str:
        if not self.done:
            return "?"
        seconds = (time.monotonic() - self.since) / self.done * (self.total - self.done)
        return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


@contextmanager
def downloading(name: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar of bytes; gives who is told of how many are here, of how many."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        row = bar.add_task(name, total=None)
        yield lambda received, total: bar.update(row, completed=received, total=total)
