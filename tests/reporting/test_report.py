import json
import re
import time

import pytest
from voxbench.errors import RecordError, SpecError
from voxbench.records import Store
from voxbench.reporting.printer import as_json
from voxbench.reporting.report import write_report

from tests.analyses.records import LABELLED, MASKED, SCRATCH, cases, record, stored

FRACTIONS = ("3 shots", "100%")


def sweep(
    folder,
    gain=0.05,
    patients=12,
    classes=("a",),
    fractions=FRACTIONS,
    tasks=("openkbp",),
    **options,
):
    """Scratch, and an arm that is better by `gain` for every patient."""
    return stored(
        folder,
        *(
            record(
                cases(lambda i, c, extra=extra: 0.5 + 0.01 * i + extra, patients, classes),
                arm,
                task=task,
                fraction=fraction,
                seed=seed,
                **options,
            )
            for arm, extra in ((SCRATCH, 0.0), (MASKED, gain))
            for task in tasks
            for fraction in fractions
            for seed in range(3)
        ),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two tasks where an arm is better at two fractions."""
    root = tmp_path_factory.mktemp("sweep")
    sweep(root, tasks=("openkbp", "hippocampus"))
    return root


@pytest.fixture(scope="module")
def made(folder):
    return write_report(folder, folder / "out")


def test_the_page_leads_with_what_was_found(made):
    page = made.page.read_text().splitlines()
    assert page[2].startswith("4 comparisons with the scratch twin by Dice: 4 better")
    assert (
        f"- {MASKED} on openkbp at 3 shots: better than {SCRATCH} by 0.050 Dice [0.050, 0.050], "
        "12 patients, 3 runs (1 draw of the labels)." in page
    )


def test_where_pretraining_does_not_help_is_said_too(tmp_path):
    sweep(tmp_path, gain=0.0)
    page = write_report(tmp_path, tmp_path / "out").page.read_text()
    assert "## Where it makes no difference that matters" in page
    assert "helps" not in page


def test_all_files_are_written_and_listed(made, folder):
    written = {path for path in (folder / "out").rglob("*") if path.is_file()}
    assert set(made.files) == written
    names = {path.relative_to(folder / "out").as_posix() for path in written}
    assert {
        "report.md", "tables/effects-dice.md", "tables/effects-dice.csv", "tables/effects-dice.tex",
        "tables/means.tex", "figures/curve-openkbp-dice.svg", "figures/curve-hippocampus-dice.png",
    } <= names  # fmt: skip


def test_every_figure_that_the_page_shows_is_there(made, folder):
    shown = re.findall(r"!\[.*?\]\((.*?)\)", made.page.read_text())
    assert len(shown) == 2
    assert all((folder / "out" / path).is_file() for path in shown)


def test_two_reports_of_the_same_records_are_equal(made, folder, tmp_path):
    again = write_report(folder, tmp_path)
    for first, second in zip(made.files, again.files, strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_failed_cells_are_shown_with_their_reason(tmp_path):
    sweep(tmp_path)
    stored(tmp_path, record(None, MASKED, seed=7, failure="Traceback …\nMemoryError: 9 GB"))
    made = write_report(tmp_path, tmp_path / "out")
    page = made.page.read_text()
    assert made.failed == 1
    assert "1 cell has no result" in page
    assert "MemoryError: 9 GB" in page


def test_a_folder_where_everything_failed_has_a_report_of_that(tmp_path):
    stored(tmp_path, record(None), record(None, MASKED))
    made = write_report(tmp_path, tmp_path / "out")
    page = made.page.read_text()
    assert made.summary == "No arm could be compared with its scratch twin."
    assert "2 cells have no result" in page
    assert f"no finished cell of {MASKED}" in page


def test_a_smoke_run_says_so_first(tmp_path):
    sweep(tmp_path, smoke=True)
    made = write_report(tmp_path, tmp_path / "out")
    assert made.smoke
    assert made.page.read_text().splitlines()[2].startswith("> **Smoke run.**")


def test_a_real_run_has_no_smoke_banner(made):
    assert "moke" not in made.page.read_text()


def test_an_empty_folder_is_one_clear_line(tmp_path):
    with pytest.raises(RecordError, match="no records there; run a sweep into it first"):
        write_report(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_metric_is_refused(tmp_path):
    with pytest.raises(SpecError, match="unknown metric"):
        write_report(tmp_path, tmp_path / "out", metric="jaccard")


def test_another_metric_and_margin_can_be_asked_for(tmp_path):
    sweep(tmp_path)
    made = write_report(tmp_path, tmp_path / "out", metric="hd95_mm", margin=0.4)
    assert {effect.verdict for effect in made.effects} == {"better"}  # 0.5 mm shorter
    made = write_report(tmp_path, tmp_path / "out", metric="hd95_mm")
    assert {effect.verdict for effect in made.effects} == {"equivalent"}  # within 1 mm


def test_adaptations_have_rows_and_curves_of_their_own(tmp_path):
    sweep(tmp_path)
    sweep(tmp_path, adaptation="frozen")
    made = write_report(tmp_path, tmp_path / "out")
    assert {effect.where.adaptation for effect in made.effects} == {"full", "frozen"}
    assert (tmp_path / "out/figures/curve-openkbp-frozen-dice.svg").is_file()


def test_what_a_program_reads_is_json(tmp_path):
    sweep(tmp_path)
    stored(tmp_path, record(None, MASKED, task="alone"))
    found = json.loads(as_json(write_report(tmp_path, tmp_path / "out").to_json()))
    assert found["failed"] == 1
    assert [row["effect"] for row in found["effects"] if row["task"] == "alone"] == [None]


def doubled_labels():
    """An arm whose labels count double, at four fractions."""
    return [
        record(cases(lambda i, c, s=score: s + 0.002 * i, 12), arm, fraction=fraction)
        for fraction, n in LABELLED.items()
        for arm, k in ((SCRATCH, 1), (MASKED, 2))
        for score in [0.85 - 0.6 * (k * n) ** -0.5]
    ]


def test_every_question_of_scaling_has_a_table(tmp_path):
    stored(tmp_path, *doubled_labels())
    made = write_report(tmp_path, tmp_path / "out")
    named = {table.name.rpartition("-")[0]: table.rows for table in made.tables}
    assert [round(row["fitted"], 1) for row in named["labels"][:3]] == [2.0, 2.0, 2.0]
    assert named["labels"][3]["refused"]
    assert len(named["vanishing"]) == 1
    assert len(named["power-law"]) == 2
    assert named["pretraining-scale"] == []
    assert len(named["frontier"]) == 8


def test_the_page_says_what_pretraining_is_worth(tmp_path):
    stored(tmp_path, *doubled_labels())
    page = write_report(tmp_path, tmp_path / "out").page.read_text()
    assert "## What pre-training is worth in labels" in page
    assert "2.0× [2.0, 2.0]" in page


@pytest.mark.slow
def test_a_hundred_records_are_reported_within_five_seconds(tmp_path):
    fractions = ("3 shots", "10 shots", "10%", "100%")
    for draw in (0, 1):
        sweep(tmp_path, 0.05, 60, tuple("abcd"), fractions, ("openkbp", "hippocampus"), draw=draw)
    assert len(Store(tmp_path).files()) == 96
    started = time.perf_counter()
    write_report(tmp_path, tmp_path / "out")
    assert time.perf_counter() - started < 5
