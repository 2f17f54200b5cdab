"""The one module of helpers that plugins use."""

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from voxbench import toolkit

DOORS = {"voxbench.api", "voxbench.errors", "voxbench.toolkit"}
EXAMPLE = Path(__file__).parent / "example_plugin" / "voxbench_example"


def imported(tree: ast.AST) -> dict[str, set[str]]:
    """Module → names that are imported from it."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.setdefault(node.module, set()).update(alias.name for alias in node.names)
    return found


def test_the_type_checker_sees_the_names_that_there_are():
    seen = imported(ast.parse(inspect.getsource(toolkit)))
    given = {home: set(names) for home, names in toolkit._HOMES.items()}
    assert {home: names for home, names in seen.items() if home in given} == given


def test_every_name_is_found_at_its_home():
    for home, names in toolkit._HOMES.items():
        for name in names:
            assert getattr(toolkit, name) is getattr(import_module(home), name)


def test_a_name_that_is_not_there_is_said_so():
    with pytest.raises(AttributeError, match=r"'voxbench.toolkit' has no attribute 'backbone'"):
        toolkit.backbone  # noqa: B018


def test_importing_it_costs_no_torch():
    code = "import sys, voxbench.toolkit; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("path", sorted(EXAMPLE.glob("*.py")), ids=lambda path: path.stem)
def test_a_third_party_package_needs_no_other_door(path):
    modules = imported(ast.parse(path.read_text()))
    assert {name for name in modules if name.startswith("voxbench.")} <= DOORS
