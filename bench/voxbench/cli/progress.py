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

from voxbench.progress import News, Stage
from voxbench.records import Record
from voxbench.running.engines import JobRetry
from voxbench.running.jobs import Job, JobOutcome
from voxbench.running.plan import Planned
from voxbench.running.remarks import remarks
from voxbench.running.watch import Watch

_EVERY_S = 60.0  # between lines about the jobs that run, where there is no terminal


class Pace:
    """How fast a job goes through the stage that it is in."""

    def __init__(self) -> None:
        self.stage: Stage | None = None
        self.first, self.since = 0, 0.0

    def hear(self, stage: Stage) -> None:
        """The job tells where it is."""
        if self.stage is None or self.stage.doing != stage.doing or stage.done < self.stage.done:
            self.first, self.since = stage.done, time.monotonic()
        self.stage = stage

    def __str__(self) -> str:
        """Stage, steps, loss and the time that is left of it."""
        if self.stage is None:
            return ""
        stage, done = self.stage, self.stage.done - self.first
        told = f"{stage.doing} {stage.done}/{stage.total}"
        if stage.loss is not None:
            told += f", loss {stage.loss:.3g}"
        if done:
            left = (time.monotonic() - self.since) / done * (stage.total - stage.done)
            told += f", {in_time(left)} left"
        return told


def in_time(seconds: float) -> str:
    """Seconds as a person reads them."""
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


class Progress(Watch):
    """Counts jobs done, running and failed, and the time left."""

    def __init__(self, mirror: Callable[[Record], None] | None = None) -> None:
        self.console = Console(stderr=True)
        self.mirror = mirror
        self.running: dict[str, Job] = {}
        self.paces: dict[str, Pace] = {}
        self.said = time.monotonic()
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

    def added(self, more: Sequence[Job]) -> None:
        """Count what will run besides."""
        self.total += len(more)
        if self.row is not None:
            self.bar.update(self.row, total=self.total)

    def started(self, job: Job) -> None:
        """A job has begun."""
        self.running[job.id] = job
        self._show()

    def heard(self, job: Job, news: News) -> None:
        """A job tells how far it is, or what should be known."""
        if isinstance(news, str):
            self.console.print(f"note: {news}", highlight=False, markup=False, soft_wrap=True)
            return
        self.paces.setdefault(job.id, Pace()).hear(news)
        if not self.console.is_terminal and time.monotonic() - self.said > _EVERY_S:
            self.said = time.monotonic()
            for one, running in self.running.items():
                if pace := self.paces.get(one):
                    line = f"{running}: {pace}"
                    self.console.print(line, highlight=False, markup=False, soft_wrap=True)
        self._show()

    def retried(self, retry: JobRetry) -> None:
        """A job failed by the machine's fault, and is tried again."""
        self.running.pop(retry.job.id, None)
        last = retry.failure.strip().splitlines()[-1]
        line = f"again in {retry.seconds:.0f} s: {retry.job}: {last}"
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)
        self._show()

    def found(self, _job: Job) -> None:
        """A job's result is there: another process has made it."""
        self.done += 1
        self._show()

    def finished(self, outcome: JobOutcome) -> None:
        """A job has ended; its record is stored."""
        self.running.pop(outcome.job.id, None)
        self.paces.pop(outcome.job.id, None)
        self.done += 1
        self.failed += outcome.failure is not None
        if self.mirror and outcome.record:
            self._copy(self.mirror, outcome.record)
        if outcome.failure:
            last = outcome.failure.strip().splitlines()[-1]
            line = f"failed: {outcome.job}: {last}"
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)
        elif not self.console.is_terminal:
            line = f"{self.done}/{self.total} {outcome.job} · {self._left()} left"
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)
        self._show()

    def close(self, cells: Sequence[Planned], root: Path) -> None:
        """Say how it ended."""
        counts = Counter("done" if cell.state == "cached" else cell.state for cell in cells)
        said = ", ".join(f"{count} {state}" for state, count in counts.items())
        took = in_time(time.monotonic() - self.since)
        line = f"{said} in {took}: {root}"
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

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
        one, current = next(iter(self.running.items()), ("", None))
        state = (
            f"{len(self.running)} running, {self.failed} failed, {self._left()} left · {current}"
            f" · {self.paces.get(one, '')}"
        )
        self.bar.update(self.row, completed=self.done, state=state)

    def _left(self) -> str:
        if not self.done:
            return "?"
        return in_time((time.monotonic() - self.since) / self.done * (self.total - self.done))


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
