"""`voxbench uncertainty`: what the doubt of any model is worth, from its files."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from voxbench.cli.options import Json
from voxbench.cli.show import counting, print_json, print_remarks, print_table


def uncertainty_verb(
    predictions: Annotated[
        Path, typer.Argument(help="Folder of probability maps, or of label maps of members.")
    ],
    references: Annotated[
        list[Path],
        typer.Argument(help="Folder of references; one a rater where there are several."),
    ],
    validation: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Predictions and references of cases apart: thresholds, calibration."),
    ] = None,
    ood: Annotated[
        list[Path] | None,
        typer.Option(help="Predictions for cases of another distribution; repeatable."),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", help="A class as name=index; repeatable. All, if not given."),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(
            help="predictive_entropy, expected_entropy, mutual_information, one_minus_max; "
            "repeatable. All, if not given."
        ),
    ] = None,
    by_class: Annotated[
        bool, typer.Option("--by-class", help="Score the maps of each class against the rest too.")
    ] = False,
    patients: Annotated[
        str | None,
        typer.Option(help="Who is who: prefix, case, or a file beside the references."),
    ] = None,
    tolerance_mm: Annotated[
        float | None, typer.Option(min=0, help="Of NSD, as a second risk beside Dice.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the tables here.")
    ] = None,
    json: Json = False,
) -> None:
    """Uncertainty of every case, and whether it can be trusted: failures, OoD, calibration."""
    from voxbench.reporting.printer import save_table
    from voxbench.score.uncertainty.applications import judge_all
    from voxbench.score.uncertainty.folders import (
        choose_question,
        find_part,
        find_strange,
        judge_folders,
    )
    from voxbench.score.uncertainty.members import find_layout
    from voxbench.score.uncertainty.tables import tables

    test = find_part(predictions, references)
    apart = find_part(validation[0], [validation[1]]) if validation else None
    layout = find_layout(predictions, test.cases)
    strange = [find_strange(folder, layout) for folder in ood or ()]
    question = choose_question(test, classes or (), measure or (), by_class=by_class)
    parts = [test, *([apart] if apart else []), *strange]
    with counting("cases", sum(len(part.cases) for part in parts)) as done:
        answer = judge_folders(
            test,
            question,
            validation=apart,
            ood=strange,
            patients=patients,
            tolerance_mm=tolerance_mm,
            done=done,
        )
    cases = [("test", case) for case in answer.test] + [("OoD", case) for case in answer.ood]
    made = tables(cases, judge_all(answer.test, answer.ood))
    print_remarks(
        f"{len(part.extra)} predictions of {part.predictions} have no reference, not judged: "
        f"{', '.join(part.extra[:5])}"
        for part in parts
        if part.extra
    )
    if json:
        print_json({table.title.lower(): table.rows for table in made})
    else:
        for table in made:
            print_table(table)
    if output:
        written = [str(path) for table in made for path in save_table(table, output)]
        print(f"wrote {', '.join(written)}", file=sys.stderr)
