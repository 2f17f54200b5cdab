"""The page of a task's uncertainty: verdicts, curves, tables, and the way there."""

import re

import pytest
from voxbench.records.uncertainty import UncertaintyRecords
from voxbench.reporting.report import write_report
from voxbench.reporting.site.build import build_site

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored
from tests.analyses.test_uncertainty import uncertain

PATIENTS = 8


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    root = tmp_path_factory.mktemp("doubt")
    cells = [
        record(cases(lambda i, _: 0.4 + 0.05 * i, PATIENTS), arm, seed=seed)
        for arm in (MASKED, SCRATCH)
        for seed in range(2)
    ]
    stored(root, *cells)
    for cell in cells:
        made = uncertain(cell, lambda i, dice: 1 - dice + 0.1 * (i % 2), lambda _: 0.1)
        for place, case in enumerate(made.test):
            epistemic = {"image mean": float(place % 2) + 0.01 * place}
            case.scores = {**case.scores, "mutual_information": epistemic}
            case.scores["expected_entropy"] = {"image mean": 0.1 * (place % 3)}
            case.correlations = {"expected_entropy": 0.5, "mutual_information": 0.1 + 0.01 * place}
            case.shift = "grey" if place % 2 else ""
            case.reliability = ([1.0, 3.0], [0.0, 3.0], [0.4, 2.7])
        UncertaintyRecords(root).write(made)
    build_site(write_report(root, root), root, root / "site")
    return root


def test_the_page_tells_verdicts_and_shows_figures_that_are_there(site):
    page = (site / "site" / "uncertainty" / "openkbp.html").read_text()
    assert "how far a model&#39;s doubt can be trusted" in page
    assert "aleatoric uncertainty follows the raters more" in page
    pictures = re.findall(r'<img src="([^"]+)"', page)
    assert len(pictures) == 2
    assert all((site / "site" / "uncertainty" / picture).exists() for picture in pictures)
    for heading in ("Uncertainty: openkbp", "Ways of doubting", "Which component", "told apart?"):
        assert heading in page


def test_the_task_leads_there_and_the_report_says_the_same(site):
    task = (site / "site" / "tasks" / "openkbp.html").read_text()
    assert "uncertainty/openkbp.html" in task
    report = (site / "report.md").read_text()
    assert "## Can doubt be trusted?" in report
    assert "figures/doubt-separation.svg" in report
    assert (site / "tables" / "uncertainty-openkbp-all.csv").is_file()
    assert (site / "tables" / "uncertainty-contests.csv").is_file()
