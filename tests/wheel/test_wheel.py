"""The wheel, installed beside a project whose own modules are called like folders of voxbench."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SWEEP = """
name = "two"
tasks = ["phantom-shifted"]
fractions = ["1 shot"]
seeds = 2
[[baselines]]
name = "scratch"
size = "tiny"
[recipe]
patch = [32, 32, 32]
"""


def run(*words: object, **options: object) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        **options,
    )
    assert done.returncode == 0, f"{done.args}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """A virtual environment with the wheel and what it depends on, without this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, REPOSITORY)
    [wheel] = folder.glob("*.whl")
    venv = folder / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    run(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel)
    # the dependencies of this environment; a path file in there, as of an editable install, is
    # not followed from here
    [site] = venv.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return venv


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A folder with its own tasks, bench and baselines, first on the path as scripts have it."""
    (tmp_path / "tasks.py").write_text("raise ImportError('the tasks of another project')")
    for name in ("bench", "baselines"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise ImportError('another {name}')")
    (tmp_path / "two.toml").write_text(SWEEP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("VOXBENCH_CACHE", os.environ["VOXBENCH_CACHE"])
    return tmp_path


@pytest.mark.slow
def test_the_wheel_runs_a_sweep_in_a_project_with_modules_of_the_same_names(environment, project):
    python, voxbench = environment / "bin" / "python", environment / "bin" / "voxbench"
    for package in ("voxbench", "voxbench_tasks", "voxbench_baselines"):
        file = run(python, "-c", f"import {package}; print({package}.__file__)")
        assert Path(file).is_relative_to(environment)
    listed = json.loads(run(voxbench, "ls", "tasks", "--json"))
    assert "phantom-shifted" in {row["task"] for row in listed}
    run(voxbench, "run", "two.toml", "-o", "out", "--limit", "1", "-j", "1")
    assert json.loads(run(voxbench, "status", "out", "--json"))["ok"] == 2
