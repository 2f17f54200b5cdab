"""`voxbench work`: one of any number of processes that share a sweep."""

from typing import Annotated

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
    Spec,
    TimeLimit,
    Trust,
    include_all,
    trusted,
)


def work_verb(
    spec: Spec,
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
    """Take what is ready of a sweep until nothing is left: what a scheduler starts many of.

    All of them write into one folder, and each cell is claimed by one. SIGTERM and SIGUSR1 store
    what is training and give it back. Exit code 0: nothing is left to take; 75: run it again.
    """
    import time
    from pathlib import Path

    from voxbench import stopping
    from voxbench.cli.progress import Progress
    from voxbench.running.builtin import find_sweep
    from voxbench.running.engines.pool import STOP_S
    from voxbench.running.options import Options
    from voxbench.running.sweep import run_sweep

    seconds = None if minutes is None else 60 * minutes - 2 * STOP_S
    until = None if seconds is None else time.monotonic() + seconds
    with stopping.on_signals(seconds), Progress() as progress:
        include = include_all(include_path)
        sweep = find_sweep(spec, set_ or [])
        root = output or Path("runs") / sweep.name
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
        planned = run_sweep(sweep, root, options, progress)
        progress.close(planned, root)
