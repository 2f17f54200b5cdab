"""The command line: one thin file a verb. Nothing heavy is imported before a verb runs."""

import sys

import typer

from voxbench.cli.check import check
from voxbench.cli.claims import claims
from voxbench.cli.compare import compare
from voxbench.cli.import_ import import_
from voxbench.cli.leaderboard import leaderboard
from voxbench.cli.ls import ls
from voxbench.cli.overlap import overlap
from voxbench.cli.plan import plan
from voxbench.cli.power import power
from voxbench.cli.prepare import prepare
from voxbench.cli.pretrain import pretrain
from voxbench.cli.rank import rank
from voxbench.cli.report import report
from voxbench.cli.run import run
from voxbench.cli.score import score
from voxbench.cli.status import status
from voxbench.cli.subgroups import subgroups
from voxbench.cli.submit import submit
from voxbench.cli.sysinfo import sysinfo
from voxbench.cli.verify import verify
from voxbench.cli.weights import weights
from voxbench.errors import VoxbenchError

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
