"""What the doubt of arms is worth, beside their twins', from records alone."""

import math

import numpy as np
import pytest
from voxbench.analyses.read import records_in
from voxbench.analyses.uncertainty.doubts import doubts_in
from voxbench.analyses.uncertainty.figures import figures
from voxbench.analyses.uncertainty.findings import find_doubt
from voxbench.analyses.uncertainty.rows import doubt_rows
from voxbench.analyses.uncertainty.tables import table_of_task
from voxbench.records.uncertainty import (
    UncertainCase,
    UncertaintyRecord,
    UncertaintyRecords,
)
from voxbench.reporting.report import write_report
from voxbench.uncertainty.detection import detect
from voxbench.uncertainty.failure import detect_failures
from voxbench.uncertainty.pseudo import pseudo_values

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored

PATIENTS = 12
ASKED = {"applications": ["failure detection", "OoD detection"]}


def uncertain(cell, doubt, error):
    """A record whose doubt of each case is chosen, at the Dice of its cell."""
    kept = [
        UncertainCase(
            scored=case,
            scores={
                "predictive_entropy": {
                    "image mean": doubt(place, next(iter(case.classes.values())).dice)
                }
            },
            errors={"mean probability": {"ACE": error(place)}},
        )
        for place, case in enumerate(cell.cases)
    ]
    return UncertaintyRecord(
        key=f"u-{cell.key}", smoke=False, sweep="test", cells=[cell.key], arm=cell.arm,
        seeds=[cell.arm.seed], model=("softmax", {}), asked=ASKED, validation=[],
        test=kept, seconds=1.0, environment={},
    )  # fmt: skip


@pytest.fixture
def rows(tmp_path):
    """Masked knows which cases fail and is well calibrated; scratch knows nothing of either."""
    cells = [
        record(cases(lambda i, _: 0.4 + 0.05 * i, PATIENTS), arm, seed=seed)
        for arm in (MASKED, SCRATCH)
        for seed in range(3)
    ]
    stored(tmp_path, *cells)
    for cell in cells:
        good, noise = cell.arm.baseline == MASKED, 0.001 * cell.arm.seed
        UncertaintyRecords(tmp_path).write(
            uncertain(
                cell,
                lambda _, dice, good=good: 1 - dice if good else dice,
                lambda i, good=good, noise=noise: (0.1 if good else 0.3) + noise + 0.002 * i,
            ),
        )
    return doubt_rows(doubts_in(tmp_path, cells))


def named(rows, figure, arm):
    [row] = [
        r for r in rows if (r.what.figure, r.arm) == (figure, arm) and r.what.measure[0] in "pm"
        and r.what.measure != "pairwise Dice"
    ]  # fmt: skip
    return row


def test_an_arm_whose_calibration_errors_are_smaller_is_better(rows):
    row = named(rows, "ACE", MASKED)
    assert row.verdict == "better"
    assert row.effect.mean == pytest.approx(-0.2)
    assert row.value.mean == pytest.approx(0.1 + 0.001 + 0.011)
    assert row.value.low < row.value.mean < row.value.high
    assert named(rows, "ACE", SCRATCH).verdict == ""


def test_an_arm_that_knows_which_cases_fail_has_the_smaller_area(rows):
    row = named(rows, "AURC of 1 − Dice", MASKED)
    assert row.verdict == "better"
    risk = 1 - (0.4 + 0.05 * np.arange(PATIENTS))
    assert row.value.mean == pytest.approx(detect_failures(risk, -risk).aurc)
    assert (row.patients, row.runs) == (PATIENTS, 3)


def test_a_task_has_one_table_with_an_undefined_figure_left_out(rows):
    table = table_of_task("openkbp", rows)
    assert table.name == "uncertainty-openkbp"
    assert {row["measure"] for row in table.rows} == {"predictive_entropy", "mean probability"}
    assert all(len(line) == len(table.columns) for line in table.body)


def test_the_report_has_a_section_of_it(rows, tmp_path):
    made = write_report(tmp_path, tmp_path / "report")
    assert "## Uncertainty: openkbp" in made.page.read_text()
    assert (tmp_path / "report" / "tables" / "uncertainty-openkbp.csv").is_file()


def test_what_a_model_costs_a_case_stands_beside_the_plain_prediction(rows, tmp_path):
    """Three runs of 1 s for 12 cases of each arm; a cell took 2 s for 12."""
    first, *_ = UncertaintyRecords(tmp_path)
    two = [first.test[0]] * 2
    UncertaintyRecords(tmp_path).write(
        first.model_copy(
            update={
                "key": "tta", "model": ("tta", {}), "seconds": 32.0, "passes": 16,
                "validation": two, "external": {"there": two},
            }
        )
    )  # fmt: skip
    found = find_doubt(tmp_path, records_in(tmp_path)).costs
    told = {(one.arm, one.model): one for one in found}
    assert {model for _, model in told} == {"softmax", "tta"}
    softmax = told[MASKED, "softmax"]
    assert (softmax.cases, softmax.runs) == (36, 3)
    assert softmax.seconds == pytest.approx(1 / 12)
    assert softmax.plain == pytest.approx(2 / 12)
    assert softmax.times == pytest.approx(0.5)
    assert math.isnan(softmax.passes)
    [dear] = [one for one in found if one.model == "tta"]
    assert (dear.passes, dear.cases, dear.seconds) == (16, 16, 2.0)
    assert dear.times == pytest.approx(12)

    made = write_report(tmp_path, tmp_path / "report")
    table = (tmp_path / "report" / "tables" / "uncertainty-cost.csv").read_text()
    assert "## What doubting costs" in made.page.read_text()
    assert table.count("softmax") == 2


def test_seeds_that_predict_together_are_compared_with_as_many(rows, tmp_path):
    first, *_ = UncertaintyRecords(tmp_path)
    cell = first.cells[0]
    for seeds in ([0, 1], [0, 1, 2]):
        same = {"key": f"e{len(seeds)}", "model": ("ensemble", {}), "seeds": seeds}
        UncertaintyRecords(tmp_path).write(
            first.model_copy(update={**same, "cells": [cell] * len(seeds)})
        )
    found = doubts_in(tmp_path, records_in(tmp_path))
    labels = {doubt.label for doubt in found}
    assert labels == {"softmax", "ensemble of 2", "ensemble of 3"}


def detection_of(tmp_path, doubt):
    """Rows of two arms that doubt their cases so; every other case is darker than training was."""
    cells = [
        record(cases(lambda i, _: 0.4 + 0.05 * i, PATIENTS), arm, seed=seed)
        for arm in (MASKED, SCRATCH)
        for seed in range(2)
    ]
    stored(tmp_path, *cells)
    for cell in cells:
        made = uncertain(cell, lambda i, _, c=cell: doubt(i, c.arm), lambda _: 0.1)
        for place, case in enumerate(made.test):
            case.shift = "grey" if place % 2 else ""
        UncertaintyRecords(tmp_path).write(made)
    return doubt_rows(doubts_in(tmp_path, cells))


def test_shifted_cases_are_detected_by_the_arm_that_doubts_them_more(tmp_path):
    found = detection_of(tmp_path, lambda i, arm: float(i % 2 if arm.twin else i % 5))
    rows = {(r.arm, r.what.figure): r for r in found if r.what.application == "OoD detection"}
    assert rows[MASKED, "AUROC"].value.mean == rows[MASKED, "AUPR"].value.mean == 1
    assert rows[MASKED, "FPR at 95%"].value == (0, 0, 0)
    assert rows[MASKED, "AUROC"].verdict == "better"
    assert rows[MASKED, "FPR at 95%"].verdict == ""
    assert {row.what.cases for row in rows.values()} == {"grey"}
    plain = rows[SCRATCH, "AUROC"].value
    doubt = np.arange(PATIENTS) % 5
    assert plain.mean == pytest.approx(detect(doubt, np.arange(PATIENTS) % 2).auroc)
    assert plain.low < 0.5 < plain.high


def test_failures_are_looked_for_in_each_part_of_the_test(tmp_path):
    found = detection_of(tmp_path, lambda i, _: float(i % 5))
    parts = {r.what.cases: r.patients for r in found if r.what.figure == "AURC of 1 − Dice"}
    assert parts == {"": PATIENTS, "grey": PATIENTS / 2, "i.i.d.": PATIENTS / 2}


def test_cases_of_an_external_set_are_other_patients_whatever_their_names(tmp_path):
    cell = record(cases(lambda i, _: 0.5, 4))
    made = uncertain(cell, lambda i, _: 0.1 * i, lambda _: 0.1)
    made.external = {"elsewhere": uncertain(cell, lambda i, _: 1.0 + i, lambda _: 0.1).test}
    [(what, own), *_] = [
        (what, own) for what, own in figures(made) if what.application == "OoD detection"
    ]
    assert (what.figure, what.cases, len(own)) == ("AUROC", "elsewhere", 8)


def test_pseudo_values_of_a_mean_are_its_values():
    values = np.array([0.2, 0.5, 0.9])
    found = pseudo_values(lambda at: [float(values[at].mean())], ["c", "a", "b"])
    assert found[:, 0] == pytest.approx([0.5, 0.9, 0.2])
    assert np.isnan(pseudo_values(lambda at: [1.0], ["a", "a"])).all()


def test_a_score_that_no_case_has_is_left_out(tmp_path):
    found = detection_of(tmp_path, lambda i, _: float("nan"))
    assert not [row for row in found if row.what.application == "OoD detection"]


def test_runs_in_which_no_case_has_the_score_count_nothing(tmp_path):
    found = detection_of(tmp_path, lambda i, arm: float("nan") if arm.seed else float(i % 2))
    rows = {r.what.figure: r for r in found if r.what.application == "OoD detection"}
    assert {name: row.runs for name, row in rows.items()} == {
        "AUROC": 1,
        "AUPR": 1,
        "FPR at 95%": 1,
    }
    assert rows["FPR at 95%"].value == (0, 0, 0)


def test_a_run_that_scores_no_strange_case_leaves_the_rates_of_others(tmp_path):
    found = detection_of(
        tmp_path, lambda i, arm: float("nan") if arm.seed and i % 2 else float(i % 2)
    )
    [rate] = [r for r in found if (r.what.figure, r.arm) == ("FPR at 95%", MASKED)]
    assert (rate.value, rate.runs) == ((0, 0, 0), 1)


def test_an_interval_holds_no_difference_that_can_not_be(tmp_path):
    found = detection_of(tmp_path, lambda i, arm: float(i * (3 + arm.seed + bool(arm.twin)) % 7))
    [row] = [r for r in found if (r.what.figure, r.arm) == ("AUROC", MASKED)]
    assert row.effect.low >= -1
    assert row.effect.high == 1
    assert row.verdict == "undecided"


def test_cells_that_predicted_again_count_with_the_set_that_was_added(rows, tmp_path):
    kept = UncertaintyRecords(tmp_path)
    for first in list(kept):
        added = {"key": f"a{first.key}", "external": {"elsewhere": first.test}}
        kept.write(first.model_copy(update=added))
    for found in doubts_in(tmp_path, records_in(tmp_path)):
        assert len(found.runs) == 3
        assert all(record.external for record in found.runs.values())
