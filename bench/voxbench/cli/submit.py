"""`voxbench submit`: the records of a folder as one file to send."""

from pathlib import Path
from typing import Annotated

import typer


def submit_verb(
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Bundle to write (.zip).")],
    name: Annotated[
        str | None, typer.Option(help="Of the submission; the sweep's by default.")
    ] = None,
    contact: Annotated[str | None, typer.Option(help="Whom to ask.")] = None,
    source: Annotated[str | None, typer.Option(help="A paper or repository.")] = None,
    predictions: Annotated[
        bool, typer.Option("--predictions", help="Pack the label maps of the test cases too.")
    ] = False,
) -> None:
    """Pack records, and label maps if asked for, with their hashes; names what is left out."""
    from voxbench.submission.pack import pack

    packed = pack(directory, output, name, contact, source, with_predictions=predictions)
    lines = [
        f"{record.key} {record.arm.task} · {record.arm.baseline} · {record.arm.fraction} · draw "
        f"{record.arm.draw} · seed {record.arm.seed}"
        + (" · failed" if record.status == "failed" else "")
        for record in packed.records
    ]
    lines += [f"left out: {key}: {why}" for key, why in packed.left_out.items()]
    maps = f" and {packed.label_maps} label maps" if packed.label_maps else ""
    lines.append(f"{len(packed.records)} records{maps} → {output} (sha256 {packed.sha256})")
    print("\n".join(lines))
