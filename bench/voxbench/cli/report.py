"""`voxbench report`: tables, curves and findings from a folder of records."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxbench.cli.options import Json, Margin, MetricName
from voxbench.cli.show import print_json

if TYPE_CHECKING:
    from voxbench.reporting.report import Report


def report_verb(
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where to write; DIRECTORY/report by default."),
    ] = None,
    metric: MetricName = "dice",
    margin: Margin = None,
    site: Annotated[
        Path | None, typer.Option(help="Where the pages go; beside report.md by default.")
    ] = None,
    public: Annotated[
        bool,
        typer.Option("--public", help="Picture generated cases only, so that pages can be shared."),
    ] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve the pages on 127.0.0.1 until interrupted.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of --serve; 0 is any.")] = 8000,
    json: Json = False,
) -> None:
    """Write tables, curves, what was found, and pages to look at, from the records of a folder."""
    from voxbench.records import Store
    from voxbench.reporting.report import write_report
    from voxbench.reporting.site.build import build_site

    made = write_report(directory, out or directory / "report", metric, margin)
    folder = site or made.page.parent
    pages = build_site(made, directory, folder, public)
    if json:
        told = made.to_json() | {"index": str(pages[0]), "pages": [str(path) for path in pages]}
        print_json(told)
    else:
        _tell(made, pages[0])
    if serve:
        _serve(folder, [*made.files, *Store(directory).files()], port)


def _tell(made: "Report", index: Path) -> None:
    from voxbench.analyses.effect_sentences import effect_chapters
    from voxbench.reporting.report import SMOKE

    lines = [SMOKE.replace("*", "")] if made.smoke else []
    lines += made.opening
    for heading, sentences in effect_chapters(made.effects, made.metric):
        lines += ["", heading, *(f"  {sentence}" for sentence in sentences)]
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
