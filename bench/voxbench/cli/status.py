"""`voxbench status`: how far a sweep is, and why cells failed."""

from pathlib import Path
from typing import Annotated

import typer

from voxbench.cli.options import Json
from voxbench.cli.show import print_json


def status_verb(
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    json: Json = False,
) -> None:
    """Count the records of a folder and say why cells failed; exit code 1 if any did."""
    from voxbench.errors import RecordError
    from voxbench.records import Store

    if not (directory / "records").is_dir():
        raise RecordError(f"{directory}: no records there; run a sweep with -o {directory} first.")
    records = list(Store(directory).scored())
    failed = [record for record in records if record.status == "failed"]
    if json:
        found = {
            "ok": len(records) - len(failed),
            "failed": [
                {"key": record.key, **record.arm.model_dump(), "failure": record.failure}
                for record in failed
            ],
            "smoke": sum(record.smoke for record in records),
        }
        print_json(found)
    else:
        print(f"{len(records) - len(failed)} ok, {len(failed)} failed")
        for record in failed:
            arm = record.arm
            head = f"{record.key} {arm.task} · {arm.baseline} · {arm.fraction} · seed {arm.seed}"
            print(f"\n{head}\n{record.failure}")
    if failed:
        raise typer.Exit(1)
