"""`voxbench report`: tables, curves and findings from a folder of records."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxbench.cli.options import Json, Margin, MetricName
from voxbench.cli.show import print_json
from voxbench.cli.verify import Sweeps

if TYPE_CHECKING:
    from voxbench.api import Task
    from voxbench.reporting.report import Report

_SAID = 10  # sentences of a kind on a terminal


def report_verb(
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where to write; DIRECTORY/report by default."),
    ] = None,
    metric: MetricName = "dice",
    margin: Margin = None,
    width: Annotated[
        float, typer.Option(min=2.0, max=40.0, help="Of the curves, in inches: 3.5 for a column.")
    ] = 7.2,
    site: Annotated[
        Path | None, typer.Option(help="Where the pages go; beside report.md by default.")
    ] = None,
    public: Annotated[
        bool,
        typer.Option(
            "--public", help="Picture only what is generated or openly licensed, to be shared."
        ),
    ] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve the pages on 127.0.0.1 until interrupted.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of --serve; 0 is any.")] = 8000,
    sweep: Sweeps = None,
    claims: Annotated[
        list[Path] | None,
        typer.Option(help="Declared claims to lead the pages; Holm within each file."),
    ] = None,
    json: Json = False,
) -> None:
    """Write tables, curves, what was found, and pages to look at, from the records of a folder."""
    from voxbench.analyses.claims import judge_claims
    from voxbench.design.claims import read_claims
    from voxbench.records import Store
    from voxbench.reporting.report import write_report
    from voxbench.reporting.site.build import build_site

    files, tasks = [read_claims(path) for path in claims or []], _tasks(sweep or [])
    made = write_report(directory, out or directory / "report", metric, margin, width)
    folder = site or made.page.parent
    judged = [result for own in files for result in judge_claims(own, made.groups)]
    pages = build_site(made, directory, folder, public, tasks, judged)
    if json:
        told = made.to_json() | {"index": str(pages[0]), "pages": [str(path) for path in pages]}
        print_json(told)
    else:
        _tell(made, pages[0])
    if serve:
        _serve(folder, [*made.files, *Store(directory).files()], port)


def _tasks(sweeps: list[Path]) -> "dict[str, Task]":
    """The tasks of sweeps by the names of their cards.

    Raises:
        SpecError: a sweep can't be read.
        DataError: data of a task are missing.
    """
    from voxbench.design.sweep_file import read_sweep
    from voxbench.plugins import find_task

    entries = [entry for path in sweeps for entry in read_sweep(path).tasks]
    found = [find_task(entry.ref) for entry in entries]
    return {task.card.name: task for task in found}


def _tell(made: "Report", index: Path) -> None:
    from voxbench.analyses.effect_sentences import effect_chapters
    from voxbench.reporting.page import SMOKE

    lines = [SMOKE.replace("*", "")] if made.smoke else []
    lines += made.opening
    for heading, sentences in effect_chapters(made.effects, made.metric, made.recipes):
        lines += ["", heading, *(f"  {sentence}" for sentence in sentences[:_SAID])]
        if len(sentences) > _SAID:
            lines += [f"  and {len(sentences) - _SAID} more in the report"]
    print("\n".join([*lines, "", f"report: {made.page}", f"pages: {index}"]))


def _serve(site: Path, beside: list[Path], port: int) -> None:
    from voxbench.errors import SpecError
    from voxbench.reporting.site.serve import HOST, server

    try:
        serving = server(site, beside, port)
    except OSError as error:
        raise SpecError(
            f"--port {port}: can't serve there ({error.strerror}); give another one, or 0 for any."
        ) from None
    with serving:
        print(f"http://{HOST}:{serving.server_port}/ (Ctrl-C ends)", flush=True)
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            return
