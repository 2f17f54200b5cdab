"""What a job of Slurm does for a sweep, and what it does when it ends before the sweep."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from voxbench.running.slurm_queue import asked_of_slurm

_ENDS_S = 30.0  # after it was asked to, a pilot's work has long stored where it is
_LOOK_S = 0.5


@dataclass
class Pilot:
    """Works until nothing is left of a sweep; queued again where its time ends first.

    Attributes:
        words: of the command, `voxbench work …`; its exit code 75 says that work is left.
    """

    words: tuple[str, ...]

    def __call__(self) -> None:
        """Run the command in this job.

        Raises:
            SystemExit: it failed, with its exit code; or the job is queued again.
        """
        ours = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])  # submitit's, not work's
        try:
            self._process = subprocess.Popen(self.words)  # noqa: S603
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, ours)
        while (code := self._process.poll()) is None:
            time.sleep(_LOOK_S)
        if code == os.EX_TEMPFAIL and _is_ours_to_queue():
            asked_of_slurm("scontrol", "requeue", _job())
        if code:
            sys.exit(code)

    def checkpoint(self, *_: Any) -> Any:
        """Before its time ends or another job takes its place: let the work store where it is.

        Returns:
            What submitit starts when the job, which it queues again, has its next turn.
        """
        from submitit.helpers import DelayedSubmission

        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDS_S)
        return DelayedSubmission(Pilot(self.words))


def _is_ours_to_queue() -> bool:
    """Whether nobody else has decided about this job: it is neither cancelled nor queued again."""
    said = asked_of_slurm("squeue", "--noheader", "--jobs", _job(), "--format", "%T")
    return said.strip() == "RUNNING"


def _job() -> str:
    return os.environ["SLURM_JOB_ID"]
