from voxbench.report.report import write_report

from tests.analyses.records import LABELLED, MASKED, SCRATCH, cases, record, stored


def records():
    """An arm whose labels count double, at four fractions."""
    return [
        record(cases(lambda i, c, s=score: s + 0.002 * i, 12), arm, fraction=fraction)
        for fraction, n in LABELLED.items()
        for arm, k in ((SCRATCH, 1), (MASKED, 2))
        for score in [0.85 - 0.6 * (k * n) ** -0.5]
    ]


def test_every_question_of_scaling_has_a_table(tmp_path):
    stored(tmp_path, *records())
    made = write_report(tmp_path, tmp_path / "out")
    named = {table.name.rpartition("-")[0]: table.rows for table in made.tables}
    assert [round(row["fitted"], 1) for row in named["labels"][:3]] == [2.0, 2.0, 2.0]
    assert named["labels"][3]["refused"]
    assert len(named["vanishing"]) == 1
    assert len(named["power-law"]) == 2
    assert named["pretraining-scale"] == []
    assert len(named["frontier"]) == 8


def test_the_page_says_what_pretraining_is_worth(tmp_path):
    stored(tmp_path, *records())
    page = write_report(tmp_path, tmp_path / "out").page.read_text()
    assert "## What pre-training is worth in labels" in page
    assert "2.0× [2.0, 2.0]" in page
