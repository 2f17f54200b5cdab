"""Exit codes and what is printed: submit, verify, leaderboard add."""

import json

import pytest
from voxbench.records import Store

from tests.submission.conftest import EXAMPLE, PLUGIN
from tests.submission.made import bundle, members

WITH = ("--include-path", PLUGIN, "--include-path", EXAMPLE)


@pytest.fixture
def packed(voxbench, finished, tmp_path):
    path = tmp_path / "b.zip"
    voxbench("submit", finished, "-o", path, "--predictions")
    return path


def test_submit_names_what_it_packs_and_what_it_leaves_out(voxbench, run, tmp_path):
    store = Store(run)
    smoke = next(iter(store))
    store.write(smoke.model_copy(update={"smoke": True}))
    code, out, err = voxbench("submit", run, "-o", tmp_path / "b.zip", "--name", "mine")
    lines = out.splitlines()
    assert (code, err, len(lines)) == (0, "", 9)
    assert "boxes · scratch[size=tiny] · 2 shots · draw 0 · seed" in out
    assert lines[7] == f"left out: {smoke.key}: a smoke run, which measures nothing"
    assert lines[8].startswith("7 records → ")


def test_submit_of_nothing_is_one_line_and_exit_code_2(voxbench, tmp_path):
    code, out, err = voxbench("submit", tmp_path, "-o", tmp_path / "b.zip")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "nothing to submit" in err


def test_a_verified_bundle_is_exit_code_0(voxbench, packed):
    code, out, _ = voxbench("verify", packed, *WITH)
    assert code == 0
    assert out.splitlines()[-1] == f"{packed}: tiny, 8 records, 32 label maps: verified"


def test_without_the_plugins_it_says_what_was_not_checked(voxbench, packed):
    code, out, _ = voxbench("verify", packed)
    assert code == 0
    assert "not checked here: scores of label maps: no references here: boxes" in out
    assert "not checked here: names and weights of an arm whose plugin is not here" in out


def test_errors_are_listed_and_exit_code_1(voxbench, finished, tmp_path):
    def change(record):
        record.cases[0].classes["large"].dice = 2.0

    path = bundle(tmp_path / "b.zip", members(finished, change))
    code, out, err = voxbench("verify", path, *WITH)
    assert (code, err) == (1, "")
    assert out.startswith("error: Dice is not between 0 and 1: ")
    assert "(8)\n" in out
    assert out.endswith(": refused\n")
    code, out, _ = voxbench("verify", path, "--json", *WITH)
    told = json.loads(out)
    assert (code, told["verified"], told["submitter"]["name"]) == (1, False, "somebody")
    assert sum(finding["level"] == "error" for finding in told["findings"]) == 8


@pytest.mark.parametrize("words", [("verify",), ("leaderboard", "add")])
def test_what_is_no_bundle_is_one_line_and_exit_code_2(voxbench, tmp_path, words):
    path = tmp_path / "b.zip"
    for content in (None, b"", b"PK\5\6" + b"\0" * 18, b"nonsense" * 99):
        if content is not None:
            path.write_bytes(content)
        code, out, err = voxbench(*words, path)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("voxbench: ")


def test_known_results_that_are_not_there_are_a_mistake(voxbench, packed):
    code, _, err = voxbench("verify", packed, "--against", "nowhere")
    assert (code, err) == (2, "voxbench: --against nowhere: no records there.\n")


def test_what_a_stranger_wrote_does_not_steer_the_terminal(voxbench, finished, tmp_path):
    def change(record):
        record.status, record.failure = "failed", "\x1b[2Jgone\u202e\nerror: forged"

    content = dict(list(members(finished, change).items())[:1])
    _, out, _ = voxbench("verify", bundle(tmp_path / "b.zip", content), *WITH)
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "\nerror: forged" not in out


def test_add_says_what_is_new_what_was_there_and_what_to_run(voxbench, packed, tmp_path):
    results = tmp_path / "board"
    code, out, _ = voxbench("leaderboard", "add", packed, "-o", results, *WITH)
    assert code == 0
    assert f"8 records added to {results}" in out
    assert f"now run: voxbench report {results} -o {results}" in out
    code, out, _ = voxbench("leaderboard", "add", packed, "-o", results, *WITH)
    assert code == 0
    assert out.count("already there: ") == 8
    assert "0 records added" in out


def test_add_of_a_bundle_with_errors_adds_nothing(voxbench, finished, tmp_path):
    def change(record):
        record.smoke = True

    path = bundle(tmp_path / "b.zip", members(finished, change))
    code, out, _ = voxbench("leaderboard", "add", path, "-o", tmp_path / "board", *WITH)
    assert code == 1
    assert "error: a smoke run, which measures nothing" in out
    assert not (tmp_path / "board").exists()
