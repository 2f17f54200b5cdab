"""`voxbench score`: a folder of predictions against a folder of references."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxbench.cli.options import Include, include_all
from voxbench.cli.show import counting

if TYPE_CHECKING:
    from rich.console import Console

    from voxbench.score import CasePairs, CaseResult, ClassMean


def score_verb(
    prediction: Annotated[Path, typer.Argument(help="Folder of predicted label maps or masks.")],
    reference: Annotated[Path, typer.Argument(help="Folder of references, or of a data set.")],
    task: Annotated[
        str | None, typer.Option(help="Take classes and tolerances from this task's card.")
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", help="A class as name=label or name=1+2; repeatable."),
    ] = None,
    tolerance_mm: Annotated[
        list[str] | None,
        typer.Option(help="NSD tolerance: 2.0 for all classes, or liver=5; repeatable."),
    ] = None,
    definition: Annotated[
        str | None, typer.Option(help="Of a boundary: surface, the default, or voxel.")
    ] = None,
    scoring: Annotated[
        str | None,
        typer.Option(help="An official way to score: flare22, kits23, … (see the docs)."),
    ] = None,
    lesions: Annotated[
        list[str] | None,
        typer.Option(help="A class to score lesion by lesion, too (panoptica); repeatable."),
    ] = None,
    resample: Annotated[
        bool, typer.Option("--resample", help="Bring predictions onto the reference's grid.")
    ] = False,
    missing_fail: Annotated[
        bool,
        typer.Option("--missing-fail", help="Score cases without a prediction as the worst."),
    ] = False,
    cases_of: Annotated[
        Path | None,
        typer.Option(help="Score the cases of this folder of predictions alone."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Cases at a time; all cores.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="summary.json to write; a .parquet goes beside it."),
    ] = None,
    include_path: Include = None,
) -> None:
    """Dice, NSD and HD95 of every case and class, their means, and what is undefined."""
    from voxbench.errors import DataError
    from voxbench.plugins import find_task
    from voxbench.score import (
        choose_options,
        class_means,
        pair_cases,
        score_folders,
        write_summary,
    )

    include_all(include_path)
    pairing = pair_cases(prediction, reference, cases_of)
    if pairing.missing and not missing_fail:
        raise DataError(
            f"{len(pairing.missing)} references have no prediction: {', '.join(pairing.missing)}."
            f" Predict them, give --cases-of {prediction} to score what is there, or"
            " --missing-fail to score them as the worst."
        )
    options = choose_options(
        pairing,
        prediction,
        reference,
        card=find_task(task).card if task else None,
        classes=classes or (),
        tolerance_mm=tolerance_mm or (),
        definition=definition,
        resample=resample,
        scoring=scoring,
        lesions=lesions or (),
    )
    with counting("cases", len(pairing.cases) + len(pairing.missing)) as done:
        results = score_folders(pairing, options, jobs, done=lambda _: done())
    _show(results, class_means(results), pairing)
    if output:
        table = write_summary(output, results, options, pairing)
        print(f"wrote {output} and {table}", file=sys.stderr)


def _show(
    results: list["CaseResult"], by_class: dict[str, "ClassMean"], pairing: "CasePairs"
) -> None:
    """Print the scores of every case and class, the means, and the names that did not pair."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    cases = Table("case", "class", "Dice", "NSD", "HD95 mm", "", box=None)
    for result in results:
        for name, s in result.scores.items():
            cases.add_row(
                result.case, name, f"{s.dice:.4f}", f"{s.nsd:.4f}", f"{s.hd95_mm:.2f}", s.flag
            )
    console.print(cases)
    _show_lesions(console, results)
    mean = Table("class", "Dice", "NSD", "HD95 mm", "cases", "undefined", "flagged", box=None)
    for name, m in by_class.items():
        counts = str(m.defined), str(m.undefined), str(m.flagged)
        mean.add_row(name, f"{m.dice:.4f}", f"{m.nsd:.4f}", f"{m.hd95_mm:.2f}", *counts)
    console.print("\nmeans over the cases in which a class is defined:")
    console.print(mean)
    for what, names in (("without a prediction, scored as the worst", pairing.missing),
                        ("without a reference, not scored", pairing.extra),
                        ("not asked for by --cases-of, not scored", pairing.left_out)):  # fmt: skip
        if names:
            console.print(f"{len(names)} {what}: {', '.join(names)}", soft_wrap=True)


def _show_lesions(console: "Console", results: list["CaseResult"]) -> None:
    from rich.table import Table

    table = Table("case", "class", "lesions", "predicted", "found", "F1", "Dice", box=None)
    for result in results:
        for name, s in result.lesions.items():
            counts = map(str, s[:3])
            table.add_row(result.case, name, *counts, f"{s.f1:.4f}", f"{s.dice:.4f}")
    if table.row_count:
        console.print("\nlesion by lesion; found is what a predicted one covers by an IoU of 0.1:")
        console.print(table)
