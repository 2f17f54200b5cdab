import csv
import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.analyses.table import Column, Table
from voxbench.files import temporary_beside
from voxbench.records import Store
from voxbench.records.case_scores import CaseScores
from voxbench.reporting.report import write_report
from voxbench.reporting.site.build import build_site
from voxbench.reporting.site.html import html_table
from voxbench.reporting.site.pages import STATIC, Pages

from tests.analyses.records import MASKED, SCRATCH, cases, record, scores, stored
from tests.analyses.test_false_alarms import both
from tests.reporting.site.demo import made
from tests.reporting.site.html import Page, pages

EVIL = "<script>alert(1)</script>\"'&../../x $\\frac$"

PARTS = Pages(Path()).environment.get_template("parts.html").module


def tiny(root: Path, **names) -> Path:
    for arm, gain in ((SCRATCH, 0.0), (names.pop("baseline", MASKED), 0.1)):
        stored(root, record(cases(lambda i, c, g=gain: 0.5 + 0.01 * i + g, 8), arm, **names))
    return root


def test_there_is_a_page_for_every_task_baseline_and_result(site):
    found = {folder: len(list((site / folder).glob("*.html"))) for folder in
             ("tasks", "baselines", "results", "cases")}  # fmt: skip
    assert found == {"tasks": 2, "baselines": 2, "results": 6, "cases": 6}


def test_every_link_leads_to_a_file_and_every_anchor_to_an_id(site):
    known = {page.path.resolve(): set(page.ids) for page in pages(site)}
    links = 0
    for page in pages(site):
        for link in page.links:
            target = page.target(link)
            assert target.is_file(), (page.path, link)
            anchor = urlsplit(link).fragment
            assert not anchor or anchor in known[target], (page.path, link)
            links += 1
    assert links > 300


def test_every_page_is_reached_from_the_index(site):
    seen, next_ones = set(), [site / "index.html"]
    while next_ones:
        path = next_ones.pop().resolve()
        if path not in seen:
            seen.add(path)
            page = Page(path)
            next_ones += [t for t in map(page.target, page.links) if t.suffix == ".html"]
    assert seen == {page.path.resolve() for page in pages(site)}


def test_pages_are_accessible_by_markup(site):
    for page in pages(site):
        assert len(page.ids) == len(set(page.ids)), page.path
        assert page.of("html") == [{"lang": "en"}]
        assert len(page.of("h1")) == len(page.of("main")) == len(page.of("title")) >= 1 or (
            page.of("svg") and len(page.of("h1")) == 1
        )
        assert page.tags[[t for t, _ in page.tags].index("a")][1]["class"] == "skip"
        assert all(found.get("alt") for found in page.of("img")), page.path
        assert len(page.of("caption")) == len(page.of("table"))
        assert all("scope" in found for found in page.of("th")), page.path
        ids = set(page.ids)
        for _, found in page.tags:
            for name in ("aria-labelledby", "aria-describedby"):
                assert set((found.get(name) or "").split()) <= ids, (page.path, found)
        told = [found for found in page.of("svg") if found.get("aria-hidden") != "true"]
        assert len(told) == len(page.of("desc"))
        assert page.open == []


def test_nothing_comes_from_elsewhere_and_no_script_is_inline(site):
    for page in pages(site):
        [policy] = [m["content"] for m in page.of("meta") if "http-equiv" in m]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
        for script in page.of("script"):
            assert script.get("src", "").startswith(("static/", "../static/")) or (
                script["type"] == "text/plain"
            )
        assert not any(name.startswith("on") for _, found in page.tags for name in found)
        assert not any("style" in found for _, found in page.tags), page.path


def test_the_leaderboard_shows_the_numbers_of_its_table(site):
    shown = Page(site / "all.html").tables["leaderboard-dice"]
    with (site / "tables/leaderboard-dice.csv").open() as file:
        rows = list(csv.DictReader(file))
    head, body = [cell.strip() for cell in shown[0]], shown[1:]
    assert len(body) == len(rows) == 6
    for cells, row in zip(body, rows, strict=True):
        cell = dict(zip(head, cells, strict=True))
        mean, low, high = (f"{float(row[name]):.3f}" for name in ("dice", "dice_low", "dice_high"))
        assert cell["Dice [95%]"] == f"{mean} [{low}, {high}]"
        assert (cell["arm"], cell["place"], cell["tied"]) == (row["arm"], row["place"], row["tied"])
        assert cell["verdict"] == (row["verdict"] or "–")


def test_the_means_on_pages_are_those_of_the_report(site):
    with (site / "tables/means.csv").open() as file:
        means = {
            (r["task"], r["fraction"], r["arm"]): float(r["dice"]) for r in csv.DictReader(file)
        }
    with (site / "tables/leaderboard-dice.csv").open() as file:
        board = {
            (r["task"], r["fraction"], r["arm"]): float(r["dice"]) for r in csv.DictReader(file)
        }
    assert board == means


def test_every_number_of_the_leaderboard_links_to_its_records(site):
    page = Page(site / "all.html")
    results = [link for link in page.links if link.startswith("results/")]
    assert len(set(results)) == 6
    behind = Page(page.target(results[0]))
    assert any(link.endswith(".json") for link in behind.links)


def test_case_scores_are_means_over_runs(tmp_path):
    for seed, dice in ((0, 0.4), (1, 0.6)):
        stored(tmp_path, record(cases(lambda i, c, d=dice: d, 2), seed=seed))
    made(tmp_path, tmp_path / "out")
    [path] = (tmp_path / "out/results").glob("*.html")
    rows = Page(path).tables["cases"]
    assert [row[:5] for row in rows[2:]] == [
        ["case0", "p000", "0.500", "0.500", "0.500"],
        ["case1", "p001", "0.500", "0.500", "0.500"],
    ]


def test_undefined_is_a_dash_and_failures_are_told(tmp_path):
    nan = float("nan")
    odd = CaseScores(
        case="odd", patient="p", failure="out of memory",
        classes={"a": scores(nan, flag="both_empty", nsd=nan, hd95_mm=nan)},
    )  # fmt: skip
    stored(tmp_path, record([*cases(lambda i, c: 0.5, 2), odd]))
    made(tmp_path, tmp_path / "out")
    [path] = (tmp_path / "out/results").glob("*.html")
    row = Page(path).tables["cases"][-1]
    assert row[2:6] == ["–"] * 4
    assert row[-1] == "a: empty in both; out of memory"


def test_smoke_runs_have_a_banner_and_no_place(tmp_path):
    tiny(tmp_path, smoke=True)
    page = Page(made(tmp_path, tmp_path / "out"))
    assert "Smoke run." in page.text
    assert page.tables == {}
    assert "leaderboard-dice" not in Page(tmp_path / "out/all.html").tables
    for path in (tmp_path / "out/results").glob("*.html"):
        assert "Smoke run." in Page(path).text


def test_a_real_run_has_no_smoke_banner(site):
    assert not any("Smoke run." in page.text for page in pages(site))


def test_failed_cells_have_a_page_with_the_reason(tmp_path):
    stored(tmp_path, record(None, MASKED, failure="Traceback\nMemoryError: 9 GB"))
    made(tmp_path, tmp_path / "out")
    page = Page(tmp_path / "out/all.html")
    [result] = {link for link in page.links if link.startswith("results/")}
    assert "MemoryError: 9 GB" in Page(page.target(result)).text


def test_names_of_strangers_are_text_and_lead_nowhere(tmp_path):
    found = [
        CaseScores(case=EVIL, patient=EVIL, classes={EVIL: scores(0.5), "b": scores(0.2)},
                   failure=EVIL),
    ]  # fmt: skip
    cell = {"task": [EVIL, {EVIL: EVIL}], "baseline": [EVIL, {"a": [EVIL]}], "recipe": {EVIL: EVIL}}
    root = tmp_path / "deep/store"
    stored(root, record(found, EVIL, task=EVIL, key="safe", cell=cell))
    stored(root, record(None, EVIL, task=EVIL, seed=1, key="safe2", cell=cell, failure=EVIL))
    before = set(tmp_path.rglob("*"))
    made(root, root / "out")
    assert all(
        (root / "out") in path.parents or path in (root / "out", root / "table.parquet")
        for path in set(tmp_path.rglob("*")) - before
    )
    for page in pages(root / "out"):
        assert [script for script in page.of("script") if "src" not in script] == []
        assert EVIL in page.text or page.path.parent == root / "out"


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_any_text_is_shown_as_it_is(tmp_path_factory, text):
    table = Table("any", text, text, [Column(text, ("a",)), Column("n", ("n",), str, True)],
                  [{"a": text, "n": 1}])  # fmt: skip
    made = html_table(table, lambda row, column: "x.html", data=lambda row: {"task": text})
    path = tmp_path_factory.getbasetemp() / "any.html"
    path.write_text(str(PARTS.bare(made, "")), encoding="utf-8")
    page = Page(path)
    assert page.tables["any"] == [[text, "n"], [text, "1"]]
    assert [found["data-task"] for found in page.of("tr")[1:]] == [text]
    assert {tag for tag, _ in page.tags} <= {
        "p", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "a", "wbr",
    }  # fmt: skip


def test_two_builds_are_equal_and_pages_of_lost_records_go(tmp_path):
    tiny(tmp_path)
    out = tmp_path / "out"
    made(tmp_path, out)
    first = {path: path.read_bytes() for path in out.rglob("*.html")}
    made(tmp_path, out)
    assert {path: path.read_bytes() for path in out.rglob("*.html")} == first
    (out / "results/own.html").write_text("mine")
    tiny(tmp_path, task="another")
    for path in Store(tmp_path).files():
        if "openkbp" in path.name:
            path.unlink()
    made(tmp_path, out)
    assert not (out / "tasks/openkbp.html").exists()
    assert (out / "results/own.html").exists()
    assert len(list((out / "results").glob("*.html"))) == 3


def test_the_site_may_lie_elsewhere_than_the_report(tmp_path):
    root = tiny(tmp_path / "store")
    build_site(write_report(root, root), root, root / "leaderboard")
    found = {path.relative_to(root).parts[0] for path in root.rglob("*.html")}
    assert found == {"leaderboard"}
    for page in pages(root / "leaderboard"):
        assert all(page.target(link).is_file() for link in page.links)


def test_public_pages_tell_no_place_of_the_machine(tmp_path):
    root = tmp_path / "alice" / "runs"
    tiny(root)
    build_site(write_report(root, tmp_path / "out"), root, tmp_path / "pages", public=True)
    for path in (tmp_path / "pages").rglob("*.html"):
        assert "alice" not in path.read_text(), path


def test_a_site_without_pictures_needs_no_viewer(tmp_path):
    made(tiny(tmp_path), tmp_path / "out")
    assert {path.name for path in (tmp_path / "out/static").iterdir()} == {
        "style.css", "front.css", "front.js", "table.js",
    }  # fmt: skip


def test_the_viewer_is_the_file_that_its_licence_names():
    digest = hashlib.sha256((STATIC / "niivue.umd.js").read_bytes()).hexdigest()
    assert digest in (STATIC / "THIRD_PARTY.txt").read_text()


@pytest.mark.parametrize("metric", ["nsd", "hd95_mm"])
def test_other_metrics_have_leaderboards_too(tmp_path, metric):
    tiny(tmp_path)
    out = tmp_path / "out"
    build_site(write_report(tmp_path, out, metric), tmp_path, out)
    page = Page(out / "all.html")
    board = page.tables[f"leaderboard-{metric.replace('_', '-')}"]
    assert [row[board[0].index("place")] for row in board[1:]] == ["1", "2"]
    assert "masked" in board[1][board[0].index("arm")]


def test_false_alarms_stand_beside_dice_on_the_pages(tmp_path):
    stored(tmp_path, *both())
    out = tmp_path / "out"
    made = write_report(tmp_path, out)
    names = [table.name for table in made.tables]
    assert {"effects-false_alarms", "effects-false_alarm_ml"} <= set(names)
    build_site(made, tmp_path, out)
    page = Page(out / "all.html")
    head, first, second = page.tables["leaderboard-dice"]
    column = head.index("false alarms, arm and twin")
    assert [first[column], second[column]] == ["–", "worse"]


def test_what_a_report_left_that_was_killed_is_removed(tmp_path):
    tiny(tmp_path)
    report = tmp_path / "report"
    build_site(write_report(tmp_path, report), tmp_path, report)
    folders = {path.parent for path in report.rglob("*") if path.is_file()}
    for folder in folders:
        left = temporary_beside(folder / "x")
        left.with_name(left.name.replace(f"-{os.getpid()}-", "-4194303-")).write_text("half")

    build_site(write_report(tmp_path, report), tmp_path, report)

    assert {"report", "tables", "figures", "results"} <= {folder.name for folder in folders}
    assert not list(tmp_path.rglob("*.tmp"))
