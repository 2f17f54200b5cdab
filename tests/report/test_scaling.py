import pytest
from voxbench.analyses.effects import twins
from voxbench.analyses.groups import read_groups
from voxbench.report.report import report
from voxbench.report.scaling import scaling_tables, times
from voxbench.stats.metric import METRICS

from tests.analyses.records import LABELLED, MASKED, SCRATCH, cases, record, stored


def records():
    """An arm whose labels count double, at four fractions."""
    return [
        record(cases(lambda i, c, s=score: s + 0.002 * i, 12), arm, fraction=fraction)
        for fraction, n in LABELLED.items()
        for arm, k in ((SCRATCH, 1), (MASKED, 2))
        for score in [0.85 - 0.6 * (k * n) ** -0.5]
    ]


def test_every_question_of_scaling_has_a_table():
    groups = read_groups(records())
    made = scaling_tables(groups, twins(groups, METRICS["dice"]), METRICS["dice"], 0.01)
    named = {table.name.rpartition("-")[0]: table.rows for table in made}
    assert [round(row["fitted"], 1) for row in named["labels"][:3]] == [2.0, 2.0, 2.0]
    assert named["labels"][3]["refused"]
    assert len(named["vanishing"]) == 1
    assert len(named["power-law"]) == 2
    assert named["pretraining-scale"] == []
    assert len(named["frontier"]) == 8


def test_the_page_says_what_pretraining_is_worth(tmp_path):
    stored(tmp_path, *records())
    page = report(tmp_path, tmp_path / "out").page.read_text()
    assert "## What pre-training is worth in labels" in page
    assert "2.0× [2.0, 2.0]" in page


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ((2.06, 1.0, 3.0), "2.1× [1.0, 3.0]"),
        ((2.0, 1.0, float("inf")), "2.0× [1.0, …]"),
        ((2.0, 0.0, 3.0), "2.0× […, 3.0]"),
        ((float("nan"),) * 3, "–"),
    ],
)
def test_an_end_that_the_data_do_not_give_is_open(found, text):
    assert times(*found) == text
