"""The command line: one thin file a verb. Nothing heavy is imported before a verb runs."""

import sys

import typer

from bench.cli.check import check
from bench.cli.claims import claims
from bench.cli.compare import compare
from bench.cli.import_ import import_
from bench.cli.leaderboard import leaderboard
from bench.cli.ls import ls
from bench.cli.overlap import overlap
from bench.cli.plan import plan
from bench.cli.power import power
from bench.cli.prepare import prepare
from bench.cli.pretrain import pretrain
from bench.cli.rank import rank
from bench.cli.report import report
from bench.cli.run import run
from bench.cli.score import score
from bench.cli.status import status
from bench.cli.subgroups import subgroups
from bench.cli.submit import submit
from bench.cli.sysinfo import sysinfo
from bench.cli.verify import verify
from bench.cli.weights import weights
from bench.errors import VoxbenchError

app = typer.Typer(
    name="voxbench",
    help="Which pre-training pays off in 3D medical segmentation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
verbs = (
    run, plan, status, power, report, rank, compare, claims, subgroups, score, submit, verify,
    prepare, pretrain, check, overlap, ls, sysinfo,
)  # fmt: skip
for verb in verbs:
    app.command()(verb)
app.command("import")(import_)
app.add_typer(weights)
app.add_typer(leaderboard)


def main() -> None:
    """Run the command line.

    Exit codes: 0 done, 1 done but something failed, 2 a mistake in the call or the data,
    130 interrupted.
    """
    try:
        app()
    except VoxbenchError as error:
        print(f"voxbench: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
