"""The tutorial does what it says: each of its commands and snippets is run, in their order."""

import shlex

from tests.conftest import REPOSITORY
from tests.docs.blocks import blocks

TUTORIAL = REPOSITORY / "docs" / "tutorial.md"


def test_every_step_of_the_tutorial_works(voxbench, tmp_path, monkeypatch):
    """All is run as it stands, but that no cell takes more than one step and one test case."""
    monkeypatch.chdir(tmp_path)
    ran = []
    for block in blocks(TUTORIAL, "sh", "toml", "python"):
        if block.language == "toml":
            (tmp_path / "tutorial.toml").write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            exec(compile(block.text, str(block), "exec"), {})
        else:
            ran += [words for line in block.text.splitlines() if (words := _run(voxbench, line))]
    assert {words[0] for words in ran} == {
        "ls", "plan", "run", "status", "report", "compare", "power",
    }  # fmt: skip
    for told in ("report.md", "index.html"):
        assert (tmp_path / "runs/tutorial/report" / told).is_file()


def _run(voxbench, line):
    """Run a line if it is a voxbench command; its words."""
    command, *words = shlex.split(line, comments=True)
    if command != "voxbench":
        return []  # the set-up, which every run of the tests has behind it
    limited = words[0] in {"run", "plan"} and "--limit" not in words
    code, told, error = voxbench(*words, *(["--limit", "1"] if limited else []))
    assert code == 0, f"{line}\n{told}\n{error}"
    return words
