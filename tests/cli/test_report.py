import json
import re
import socket

import pytest

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored


@pytest.fixture
def folder(tmp_path):
    for arm, dice in ((SCRATCH, 0.5), (MASKED, 0.55)):
        stored(tmp_path, *(record(cases(lambda i, c, d=dice: d), arm, seed=s) for s in (0, 1)))
    return tmp_path


def test_the_findings_are_printed_and_the_page_is_written_beside_the_records(voxbench, folder):
    code, out, _ = voxbench("report", folder)
    assert code == 0
    assert f"{MASKED} on openkbp at 3 shots: better than {SCRATCH} by 0.050 Dice" in out
    assert f"report: {folder / 'report' / 'report.md'}" in out
    assert (folder / "report" / "report.md").is_file()


def test_another_place_can_be_given(voxbench, folder, tmp_path):
    voxbench("report", folder, "--out", tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "report.md").is_file()
    assert not (folder / "report").exists()


def test_claims_that_cannot_be_read_are_told_before_anything_is_written(voxbench, folder):
    code, _, err = voxbench("report", folder, "--claims", folder / "none.toml")
    assert code != 0
    assert "none.toml" in err
    assert not (folder / "report").exists()


def test_a_terminal_is_told_of_the_largest_effects_and_the_report_of_all(voxbench, tmp_path):
    for arm, dice in {SCRATCH: 0.5, **{f"{MASKED}#{i}": 0.6 for i in range(12)}}.items():
        stored(tmp_path, *(record(cases(lambda i, c, d=dice: d), arm, seed=s) for s in (0, 1)))
    _, out, _ = voxbench("report", tmp_path)
    assert out.count(": better than") == 10
    assert "  and 2 more in the report\n" in out
    assert (tmp_path / "report" / "report.md").read_text().count(": better than") == 12


def test_json_is_for_programs(voxbench, folder):
    code, out, _ = voxbench("report", folder, "--json")
    found = json.loads(out)
    assert code == 0
    assert [row["verdict"] for row in found["effects"]] == ["better"]


def test_a_wide_margin_makes_a_gain_equivalent(voxbench, folder):
    _, out, _ = voxbench("report", folder, "--margin", "0.1", "--json")
    assert [row["verdict"] for row in json.loads(out)["effects"]] == ["equivalent"]


def test_a_smoke_run_is_announced(voxbench, tmp_path):
    stored(tmp_path, record(cases(lambda i, c: 0.5), smoke=True))
    assert voxbench("report", tmp_path)[1].startswith("Smoke run.")


def test_an_empty_folder_is_one_line_and_exit_code_2(voxbench, tmp_path):
    code, out, err = voxbench("report", tmp_path)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "no records there" in err


def test_an_unknown_metric_is_one_line_with_the_nearest_name(voxbench, folder):
    code, _, err = voxbench("report", folder, "--metric", "dise")
    assert code == 2
    assert "Did you mean 'dice'" in err


def test_the_pages_lie_beside_the_report_or_where_they_are_told_to(voxbench, folder, tmp_path):
    _, out, _ = voxbench("report", folder)
    assert f"pages: {folder / 'report' / 'index.html'}" in out
    _, out, _ = voxbench("report", folder, "--site", tmp_path / "board", "--public", "--json")
    found = json.loads(out)
    assert found["index"] == str(tmp_path / "board" / "index.html")
    assert found["index"] in found["pages"]
    assert (tmp_path / "board" / "static" / "style.css").is_file()


def test_a_port_in_use_is_one_line(voxbench, folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, err = voxbench("report", folder, "--serve", "--port", taken.getsockname()[1])
    assert code == 2
    assert err.count("\n") == 1
    assert "give another one, or 0 for any" in err


def test_the_pages_are_served_until_interrupted(voxbench, folder, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("http.server.ThreadingHTTPServer.serve_forever", interrupted)
    code, out, _ = voxbench("report", folder, "--serve", "--port", "0")
    assert code == 0
    assert re.search(r"http://127\.0\.0\.1:\d+/ \(Ctrl-C ends\)", out)
