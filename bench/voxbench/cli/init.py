"""`voxbench init`: a sweep for a folder of volumes."""

from pathlib import Path
from typing import Annotated

import typer

from voxbench.cli.options import Include, include_all


def init_verb(
    data: Annotated[
        Path, typer.Argument(help="Folder of a data set; a relative one may lie in $VOXBENCH_DATA.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path(
        "sweep.toml"
    ),
    include_path: Include = None,
) -> None:
    """Look at a folder, say what it holds, and write a commented sweep for it."""
    from voxbench.errors import DataError, SpecError
    from voxbench.files import write_atomically
    from voxbench.paths import data_root
    from voxbench.running.draft import draft, survey

    include_all(include_path)
    if output.exists():
        raise SpecError(f"{output} is there already: name another file with -o.")
    folder = data if data.is_dir() else data_root() / data
    if not folder.is_dir():
        raise DataError(f"{data}: no such folder, nor below {data_root()}.")
    found = survey(folder)
    write_atomically(output, draft(found))
    print("\n".join(found.told()))
    print(f"{output}: read it, then `voxbench plan {output}`")
