"""What documents show can be copied: Python runs, sweeps are valid, verbs and options exist."""

import re
import shlex
import tomllib

import pytest
import typer
from voxbench.api import Baseline, Task
from voxbench.cli import app
from voxbench.design.claims import Claim
from voxbench.design.spec import Sweep
from voxbench.design.sweep_file import parse_sweep

from tests.docs.blocks import DOCUMENTS, blocks
from tests.docs.test_tutorial import TUTORIAL

SNIPPETS = [block for document in DOCUMENTS for block in blocks(document, "python", "toml", "sh")]
COMMANDS = typer.main.get_command(app)
INLINE = re.compile(r"`voxbench ([a-z-]+)")


def of(*languages):
    found = [block for block in SNIPPETS if block.language in languages]
    return pytest.mark.parametrize("block", found, ids=str)


@of("toml")
def test_a_sweep_is_valid_and_so_are_a_part_of_one_and_claims(block):
    table = tomllib.loads(block.text)
    if table.keys() <= Sweep.model_fields.keys():
        parse_sweep({"name": "x", "tasks": ["x"], "baselines": ["x"], **table})
    elif "claim" in table:
        assert [Claim.model_validate(claim) for claim in table["claim"]]
    else:
        assert table.keys() == {"project"}


@of("python")
def test_python_runs_as_it_stands(block, tmp_path, monkeypatch):
    if block.document == TUTORIAL:
        pytest.skip("run with the tutorial, whose records it reads")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "snippet"}
    exec(compile(block.text, str(block), "exec"), names)
    for made in [one for one in names.values() if _is_plugin(one)]:
        assert not made.__abstractmethods__
        assert (made(root=tmp_path) if issubclass(made, Task) else made()).card.name


def _is_plugin(one):
    return (
        isinstance(one, type) and issubclass(one, Task | Baseline) and one.__module__ == "snippet"
    )


@of("sh")
def test_commands_have_the_verbs_and_options_that_are_shown(block):
    for line in block.text.splitlines():
        for part in re.split(r"&&|;|\|", line):
            words = shlex.split(part, comments=True)
            if words and words[0].rpartition("/")[2] == "voxbench":
                _check(words[1:])


def _check(words):
    command = COMMANDS
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, f"there is no voxbench {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    options = {name for option in command.params for name in option.opts}
    asked = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert asked <= options


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_verbs_that_a_text_names_exist(document):
    named = set(INLINE.findall(document.read_text(encoding="utf-8")))
    assert named <= COMMANDS.commands.keys()
