"""`voxbench work`: one of any number of processes that share a sweep."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxbench.cli.options import (
    Include,
    Jobs,
    KeepWeights,
    Limit,
    Output,
    Overrides,
    Predictions,
    RetryFailed,
    TimeLimit,
    Trust,
    include_all,
    trusted,
)

if TYPE_CHECKING:
    from voxbench.design.spec import Sweep


def work_verb(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="SPEC|DIR",
            help="Name or file of a sweep, or a folder of results whose sweeps are taken up.",
        ),
    ],
    output: Output = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="How long this may take; without end by default. Trainings that are not done are "
            "stored and taken up again.",
        ),
    ] = None,
    jobs: Jobs = None,
    limit: Limit = None,
    retry_failed: RetryFailed = False,
    time_limit: TimeLimit = None,
    set_: Overrides = None,
    include_path: Include = None,
    trust: Trust = None,
    predictions: Predictions = False,
    keep_weights: KeepWeights = False,
) -> None:
    """Take what is ready until nothing is left: what a scheduler starts many of.

    Of a sweep, or of all that are known in a folder of results: those that ran there, as they were.
    All processes write into one folder, and each cell is claimed by one. SIGTERM and SIGUSR1 store
    what is training and give it back. Exit code 0: nothing is left to take; 75: run it again.
    """
    import time

    from voxbench import stopping
    from voxbench.cli.progress import Progress
    from voxbench.running.engines.pool import STOP_S
    from voxbench.running.options import Options
    from voxbench.running.sweep import run_sweep

    seconds = None if minutes is None else 60 * minutes - 2 * STOP_S
    until = None if seconds is None else time.monotonic() + seconds
    with stopping.on_signals(seconds), Progress() as progress:
        include = include_all(include_path)
        root, sweeps = _asked(spec, output, set_ or [])
        options = Options(
            jobs,
            limit,
            retry_failed,
            include,
            trusted(trust),
            predictions,
            keep_weights,
            isolated=True,
            time_limit_s=None if time_limit is None else 60 * time_limit,
            stay=False,
            until=until,
        )
        for sweep in sweeps:
            planned = run_sweep(sweep, root, options, progress)
            progress.close(planned, root)


def _asked(spec: str, output: Path | None, overrides: list[str]) -> tuple[Path, list["Sweep"]]:
    """The output folder and the sweeps to work for in it.

    Raises:
        SpecError: there is no such sweep, or an option is of no use with a folder.
    """
    from voxbench.errors import SpecError
    from voxbench.records.sweeps import known_sweeps
    from voxbench.running.builtin import builtin_sweeps, find_sweep

    if spec in builtin_sweeps() or not Path(spec).is_dir():
        sweep = find_sweep(spec, overrides)
        return output or Path("runs") / sweep.name, [sweep]
    if output or overrides:
        raise SpecError(
            f"{spec}: a folder, whose sweeps are taken up as they ran; leave out -o and --set."
        )
    return Path(spec), known_sweeps(Path(spec))
