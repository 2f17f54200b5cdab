"""How a sweep is run: what is asked for beside the sweep itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voxbench.design.spec import Sweep
from voxbench.running.worker import Worker

if TYPE_CHECKING:
    from voxbench.running.engines import Engine


@dataclass(frozen=True)
class Options:
    """How a sweep is run.

    Attributes:
        jobs: workers; None takes one a GPU, else one a core.
        limit: at most so many steps and test cases a cell; marks every record smoke.
        retry_failed: run failed cells again.
        include: folders of loose plugins, for the workers.
        trust: weights files that may run code while they are read.
        predictions: keep the label maps of the test cases; a finished cell without them runs again.
        weights: keep the weights of trained networks; a finished cell without them runs again.
        isolated: a single worker is a process of its own too, as several always are, so that what
            ends, breaks or blocks its process costs the one cell.
        time_limit_s: after which a job fails, where it has a process of its own.
        engine: who runs the jobs; None is this machine.
        stay: wait for cells that other processes have, until all of the sweep is there.
        until: moment of `time.monotonic` at which all ends; None without end.
    """

    jobs: int | None = None
    limit: int | None = None
    retry_failed: bool = False
    include: Sequence[Path] = ()
    trust: Sequence[Path] = ()
    predictions: bool = False
    weights: bool = False
    isolated: bool = False
    time_limit_s: float | None = None
    engine: "Engine | None" = None
    stay: bool = True
    until: float | None = None


DEFAULTS = Options()


@dataclass(frozen=True)
class Run:
    """A sweep that is run: what engines know of it.

    Attributes:
        sweep: what is run.
        root: the output folder.
        options: how.
    """

    sweep: Sweep
    root: Path
    options: Options = DEFAULTS

    def worker(self, device: str, threads: int) -> Worker:
        """Who may run its jobs, on "cpu" or "cuda:N"."""
        options = self.options
        return Worker(
            root=self.root,
            sweep=self.sweep.name,
            device=device,
            threads=threads,
            include=tuple(options.include),
            trust=tuple(options.trust),
            predictions=options.predictions,
            weights=options.weights or self.sweep.keeps_weights,
            time_limit_s=options.time_limit_s,
        )

    @property
    def engine(self) -> "Engine":
        """Who runs it."""
        from voxbench.running.engines.pool import Pool

        return self.options.engine or Pool()
