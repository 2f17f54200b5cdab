"""The command line: one thin file a verb. Nothing heavy is imported before a verb runs.

What runs as `voxbench NAME` is the function `NAME_verb`, and as `voxbench GROUP NAME` the function
`GROUP_NAME_verb`: the plain names belong to the functions of the library that do the work.
"""

import io
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from voxbench.cli.check import check_verb
from voxbench.cli.claims import claims_verb
from voxbench.cli.compare import compare_verb
from voxbench.cli.data import data_group
from voxbench.cli.ensemble import ensemble_verb
from voxbench.cli.import_ import import_verb
from voxbench.cli.init import init_verb
from voxbench.cli.leaderboard import leaderboard_group
from voxbench.cli.ls import ls_verb
from voxbench.cli.overlap import overlap_verb
from voxbench.cli.plan import plan_verb
from voxbench.cli.power import power_verb
from voxbench.cli.prepare import prepare_verb
from voxbench.cli.pretrain import pretrain_verb
from voxbench.cli.rank import rank_verb
from voxbench.cli.report import report_verb
from voxbench.cli.run import run_verb
from voxbench.cli.score import score_verb
from voxbench.cli.status import status_verb
from voxbench.cli.subgroups import subgroups_verb
from voxbench.cli.submit import submit_verb
from voxbench.cli.sysinfo import sysinfo_verb
from voxbench.cli.tuning import tuning_verb
from voxbench.cli.uncertainty import uncertainty_verb
from voxbench.cli.verify import verify_verb
from voxbench.cli.weights import weights_group
from voxbench.cli.work import work_verb
from voxbench.errors import VoxbenchError, in_words
from voxbench.stopping import Stopped

PANELS: dict[str, tuple[Callable[..., None] | typer.Typer, ...]] = {
    "Run": (init_verb, plan_verb, run_verb, work_verb, status_verb, pretrain_verb, ensemble_verb),
    "Look": (
        report_verb,
        rank_verb,
        compare_verb,
        subgroups_verb,
        tuning_verb,
        claims_verb,
        power_verb,
    ),
    "Data and weights": (
        prepare_verb,
        score_verb,
        uncertainty_verb,
        overlap_verb,
        data_group,
        weights_group,
    ),
    "Share": (submit_verb, verify_verb, import_verb, leaderboard_group),
    "Extend": (ls_verb, check_verb, sysinfo_verb),
}
"""The verbs by what people do, in the order of the help; groups of verbs come last in a panel."""

app = typer.Typer(
    name="voxbench",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for panel, verbs in PANELS.items():
    for verb in verbs:
        if isinstance(verb, typer.Typer):
            app.add_typer(verb, rich_help_panel=panel)
        else:
            app.command(verb.__name__.removesuffix("_verb"), rich_help_panel=panel)(verb)


def _print_version(asked: bool) -> None:
    from voxbench.version import __version__

    if asked:
        print(f"voxbench {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Which pre-training pays off in 3D medical segmentation."""


_INTERRUPTED, _STOPPED = 130, os.EX_TEMPFAIL


def main() -> None:
    """Run the command line.

    Exit codes: 0 done, 1 done but something failed, 2 a mistake in the call or the data, or
    a machine that can't (a full disk, a missing permission), 75 asked to stop, or out of time, with
    work left that the same command takes up again, 130 interrupted.
    """
    os.environ["MPLBACKEND"] = "agg"  # figures are files; a notebook's own backend may be missing
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may know fewer letters
    try:
        app()
    except SystemExit as ended:
        if ended.code == _INTERRUPTED:
            print("voxbench: interrupted; the same command takes it up again.", file=sys.stderr)
        raise
    except Stopped:
        print("voxbench: stopped; the same command takes it up again.", file=sys.stderr)
        sys.stdout.flush()
        os._exit(_STOPPED)  # taking torch apart takes many seconds on a busy machine
    except (VoxbenchError, OSError) as error:
        told = in_words(error)
        if told is None:
            raise
        print(f"voxbench: {told}", file=sys.stderr)
        sys.exit(2)
    finally:
        _flush()


def _flush() -> None:
    """Write what is left; that nobody reads on, as after `| head`, is no fault."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
