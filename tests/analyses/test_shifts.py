"""In-distribution and external scores of the same trainings."""

import pytest
from voxbench.analyses.read import read_groups
from voxbench.analyses.shifts import shift_table, shifts
from voxbench.records.external import external_store
from voxbench.records.provenance import External
from voxbench.reporting.report import write_report
from voxbench.stats.metric import METRICS

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored

DICE = METRICS["dice"]
OWN = {SCRATCH: 0.8, MASKED: 0.82}
THERE = {SCRATCH: 0.5, MASKED: 0.7}


def own(arm, seed, classes=("a", "b")):
    """Class b, which the other set lacks, is 0.1 everywhere."""
    dice = OWN[arm] + 0.01 * seed
    return record(cases(lambda i, name: dice if name == "a" else 0.1, 8, classes), arm, seed=seed)


def there(arm, seed, **changes):
    trained = own(arm, seed)
    part = External(
        name="elsewhere",
        data="other",
        training=trained.key,
        fingerprint="e" * 64,
        classes={"a": "A"},
        lacking=["b"],
    )
    found = cases(lambda i, _: THERE[arm] + 0.01 * seed, 10)
    made = record(found, arm, seed=seed, key=f"{trained.key}-there")
    return made.model_copy(update={"external": part, **changes})


def everything(**changes):
    places = [(arm, seed) for arm in OWN for seed in range(2)]
    return [own(*place) for place in places], [there(*place, **changes) for place in places]


def found_shifts(inside, outside):
    training_of = {one.key: one.external.training for one in outside}
    return shifts(read_groups(inside), read_groups(outside), training_of, DICE, 0.01)


def test_the_shift_is_that_of_the_classes_that_both_have():
    scratch, masked = sorted(found_shifts(*everything()), key=lambda row: row.arm != SCRATCH)
    assert (scratch.where.test, scratch.classes, scratch.runs) == ("elsewhere", "a", 2)
    assert (scratch.patients, scratch.external_patients) == (8, 10)
    assert scratch.inside.mean == pytest.approx(0.805)
    assert scratch.outside.mean == pytest.approx(0.505)
    assert tuple(scratch.shift) == pytest.approx((-0.3, -0.3, -0.3))
    assert tuple(masked.shift) == pytest.approx((-0.12, -0.12, -0.12))
    assert (scratch.place, scratch.external_place) == (2, 2)
    assert masked.effect.mean == pytest.approx(0.02)
    assert masked.external_effect.mean == pytest.approx(0.2)


def test_the_luck_of_patients_on_either_side_is_in_the_interval():
    inside, outside = everything()
    for one in outside:
        for case, dice in zip(one.cases, (0.1, 0.3, 0.5, 0.7, 0.9) * 2, strict=True):
            case.classes["a"].dice = dice
    row = found_shifts(inside, outside)[0]
    assert row.shift.low < row.shift.mean - 0.1
    assert row.shift.high > row.shift.mean + 0.1


def test_external_scores_are_never_averaged_with_own_ones():
    inside, outside = everything()
    wheres = {group.where.test: group.where for group in read_groups([*inside, *outside])}
    assert wheres.keys() == {"", "elsewhere"}
    assert "test" not in wheres[""].told
    assert str(wheres["elsewhere"]) == "openkbp at 3 shots on elsewhere"
    assert wheres[""].setting != wheres["elsewhere"].setting


def test_the_report_has_a_table_of_shifts_and_tells_what_failed(tmp_path):
    inside, outside = everything()
    broken = outside[-1].model_copy(
        update={"status": "failed", "failure": "no such file", "cases": []}
    )
    stored(tmp_path, *inside)
    for one in (*outside[:-1], broken):
        external_store(tmp_path).write(one)
    report = write_report(tmp_path, tmp_path / "report")
    page = report.page.read_text()
    assert "## External test sets" in page
    assert "no such file" in page
    own_effects = next(table for table in report.tables if table.name == "effects-dice")
    assert all("test" not in row for row in own_effects.rows)


def test_a_report_of_external_records_alone_tells_their_test(tmp_path):
    _, outside = everything()
    for one in outside:
        external_store(tmp_path).write(one)
    page = write_report(tmp_path / "external", tmp_path / "report").page.read_text()
    assert "| elsewhere |" in page


def test_no_external_set_no_table():
    assert shift_table(found_shifts(everything()[0], []), DICE).rows == []
