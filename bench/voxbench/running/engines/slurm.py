"""The engine of a Slurm cluster, through submitit: arrays of pilots that share the output folder.

An array holds pilots, not cells, as schedulers cap arrays; each takes cells by their claims until
none is left. This process only submits and watches: the records are the truth, so that it may end
and come back.
"""

import re
import sys
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from time import sleep as wait
from typing import Any, ClassVar

from voxbench.errors import EngineError
from voxbench.records.sweeps import remember
from voxbench.running.engines import Engine, Event, Hear
from voxbench.running.engines.pilot import Pilot
from voxbench.running.options import Run
from voxbench.running.queue import Queue
from voxbench.running.slurm_queue import FOLDER, asked_of_slurm, pilots_name, queued_pilots

_LOOK_S = 5.0
_FRUITLESS = 3  # submissions in a row whose pilots all ended and finished nothing
_STORES_MIN = 3.0  # before a pilot's time is over it stops by itself
_OWN = {"parallel", "time", "setup", "sbatch"}  # the other fields are submitit's as they are
_OPTION = re.compile(r"([a-z][a-z-]*)(?:=(.+))?")
_TOLD = 5  # lines of a log


@dataclass(frozen=True)
class Slurm(Engine):
    """A Slurm cluster: pilots that take cells until none is left, queued again when time ends.

    Attributes:
        parallel: pilots at a time at most; `--jobs` comes before it.
        time: minutes of a pilot, after which it is queued again and goes on.
        partition: of the cluster.
        account: that pays.
        qos: quality of service.
        gres: what each pilot gets, as `gpu:1`.
        constraint: features that its node must have.
        cpus_per_task: cores of each pilot.
        mem: memory of each pilot, as `32GB`.
        setup: lines of shell that come first in each pilot, as `module load cuda`.
        sbatch: further options of sbatch, as `reservation=night`.
    """

    parallel: int = 8
    time: int = 240
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    gres: str | None = None
    constraint: str | None = None
    cpus_per_task: int | None = None
    mem: str | None = None
    setup: tuple[str, ...] = ()
    sbatch: tuple[str, ...] = ()

    runs_all_missing: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.parallel < 1 or self.time < 2:
            raise ValueError("parallel: at least 1, and time: at least 2 minutes.")
        for option in self.sbatch:
            if not _OPTION.fullmatch(option):
                raise ValueError(f"sbatch: {option!r}: write it as reservation=night or exclusive.")

    @classmethod
    def lacks(cls) -> str | None:
        """Submitit is an extra."""
        if find_spec("submitit") is None:
            return "it needs submitit: pip install 'voxbench[slurm]'."
        return None

    def work(self, queue: Queue, run: Run, hear: Hear) -> Generator[Event, None, None]:
        """See `Engine`; pilots go on when this ends, and are found when it comes back.

        Raises:
            EngineError: Slurm takes no pilots, or they end again and again with nothing done.
        """
        queued, fruitless = bool(queued_pilots(run.root)), 0
        while not queue.over:
            for found in queue.found():
                yield found
                fruitless = 0
            if queue.waiting and not queued:
                if fruitless == _FRUITLESS:
                    raise EngineError(_fruitless(run.root))
                count = min(run.options.jobs or self.parallel, len(queue.waiting))
                hear(queue.waiting[0], self._submit(run, count))
                fruitless += 1
            if queue.waiting:
                wait(_LOOK_S)
            with suppress(EngineError):  # Slurm may be away for a while
                queued = bool(queued_pilots(run.root))  # before the records of those that ended
        if not queue.waiting:
            asked_of_slurm("scancel", "--state=PENDING", f"--name={pilots_name(run.root)}")

    def _submit(self, run: Run, count: int) -> str:
        """Queue pilots; gives what should be known of them."""
        from submitit import SlurmExecutor
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        folder = run.root.resolve() / FOLDER
        pilot = Pilot(self._words(run))
        try:
            executor = SlurmExecutor(folder / "%A", max_num_timeout=sys.maxsize)
            executor.update_parameters(**self._parameters(run, count))
            with executor.batch():
                jobs = [executor.submit(pilot) for _ in range(count)]
        except (FailedJobError, FailedSubmissionError, RuntimeError, OSError) as error:
            raise EngineError(f"slurm: {str(error).strip()} (fields of [engine.slurm])") from error
        return (
            f"{count} pilots are queued as job {jobs[0].job_id.partition('_')[0]} of Slurm, and go "
            f"on if this ends; `scancel --name={pilots_name(run.root)}` ends them; logs: {folder}"
        )

    def _words(self, run: Run) -> tuple[str, ...]:
        """The command of a pilot, with the sweep as it is now."""
        spec, options = remember(run.sweep, run.root.resolve()), run.options
        minutes = max(self.time - _STORES_MIN, self.time / 2)
        words = [sys.executable, "-m", "voxbench", "work", spec, "-o", run.root.resolve()]
        words += ["--minutes", f"{minutes:g}"]
        for name, paths in (("--include-path", options.include), ("--trust", options.trust)):
            for path in paths:
                words += [name, path]
        if options.limit is not None:
            words += ["--limit", options.limit]
        if options.time_limit_s is not None:
            words += ["--time-limit", f"{options.time_limit_s / 60:g}"]
        words += ["--retry-failed"] * options.retry_failed
        words += ["--predictions"] * options.predictions
        words += ["--keep-weights"] * options.weights
        return tuple(map(str, words))

    def _parameters(self, run: Run, count: int) -> dict[str, Any]:
        """As submitit calls them."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            **{name: value for name, value in given.items() if name not in _OWN and value},
            "time": self.time,
            "job_name": pilots_name(run.root),
            "array_parallelism": count,
            "setup": list(self.setup),
            "stderr_to_stdout": True,
            "additional_parameters": {"requeue": True, **dict(map(_pair, self.sbatch))},
        }


def _pair(option: str) -> tuple[str, str | bool]:
    """An option of sbatch as submitit takes it."""
    name, given, value = option.partition("=")
    return name, value if given else True


def _fruitless(root: Path) -> str:
    """What the last pilots said before they ended."""
    logs = sorted((root / FOLDER).glob("*/*_log.out"), key=lambda path: path.stat().st_mtime)
    said = logs[-1].read_text(errors="replace").splitlines()[-_TOLD:] if logs else ["no log"]
    told = f"slurm: {_FRUITLESS} times all pilots ended and nothing was finished; the last said:"
    return "\n".join((told, *said, f"All they said is in {root / FOLDER}."))
