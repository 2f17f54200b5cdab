"""`voxbench run`: a sweep from its spec to its report."""

from typing import Annotated, Literal

import typer

from voxbench.cli.options import (
    Include,
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


def run_verb(
    spec: Spec,
    output: Output = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=0,
            help="Worker processes; by default one a GPU, else one a core. 0 works in this "
            "process, where a plugin that breaks it ends the sweep: for debuggers.",
        ),
    ] = None,
    limit: Limit = None,
    retry_failed: RetryFailed = False,
    until_settled: Annotated[
        bool,
        typer.Option(
            "--until-settled",
            help="Race: look at the results three times on the way, and stop each arm once it is "
            "better, worse or equivalent to its twin on Dice, or hardly ever will be. Looks "
            "cost certainty, which is paid in advance: a whole run settles more.",
        ),
    ] = False,
    time_limit: TimeLimit = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="Who runs the cells, see `voxbench ls engines`; its settings are [engine.NAME] of "
            "the sweep or [NAME] of ~/.config/voxbench/engines.toml. By default this machine."
        ),
    ] = None,
    set_: Overrides = None,
    include_path: Include = None,
    trust: Trust = None,
    predictions: Predictions = False,
    keep_weights: KeepWeights = False,
    wandb: Annotated[
        Literal["off", "offline", "online"],
        typer.Option(help="Mirror the records on Weights & Biases."),
    ] = "off",
) -> None:
    """Run what is missing of a sweep, then write its report. Stop it anywhere and run it again.

    Several may run in one folder: each cell is claimed by one, and all wait for the last.
    """
    from pathlib import Path

    from voxbench import stopping
    from voxbench.analyses.races.results import describe_race
    from voxbench.cli.progress import Progress
    from voxbench.reporting.report import write_report
    from voxbench.running.builtin import find_sweep
    from voxbench.running.engines.settings import find_engine
    from voxbench.running.external_plan import plan_external
    from voxbench.running.mirror import mirror
    from voxbench.running.options import Options
    from voxbench.running.race import declared_race, run_race
    from voxbench.running.sweep import run_sweep

    include = include_all(include_path)
    sweep = find_sweep(spec, set_ or [])
    root = output or Path("runs") / sweep.name
    options = Options(
        1 if jobs == 0 else jobs,
        limit,
        retry_failed,
        include,
        trusted(trust),
        predictions,
        keep_weights,
        isolated=jobs != 0,
        time_limit_s=None if time_limit is None else 60 * time_limit,
        engine=find_engine(engine, sweep) if engine else None,
    )
    project = f"voxbench-{sweep.name}"
    copy = None if wandb == "off" else mirror(wandb, project, root / "wandb")
    with stopping.on_signals(), Progress(copy) as progress:
        if until_settled:
            planned = run_race(sweep, root, options, progress)
        else:
            planned = run_sweep(sweep, root, options, progress)
    progress.close(planned, root)
    if until_settled:
        missing = sum(cell.state == "missing" for cell in planned)
        print("\n".join(describe_race(declared_race(sweep, planned, limit), root, missing)))
    if any(cell.state == "cached" for cell in planned):
        write_report(root, root / "report")
        print(f"report: {root / 'report' / 'report.md'}")
    failed = [one for one in plan_external(planned, root) if one.state == "failed"]
    if failed:
        print(f"{len(failed)} failed on external test sets: voxbench status {root / 'external'}")
    if failed or any(cell.state == "failed" for cell in planned):
        raise typer.Exit(1)
