"""What a notebook needs is in `voxbench` itself."""

import subprocess
import sys

import pytest
import voxbench
from voxbench import plugins
from voxbench.errors import SpecError
from voxbench.plugins import ARCHITECTURES, BASELINES, TASKS

from tests.running.conftest import EXAMPLE, make_sweep

PROBE = """
import sys, voxbench
voxbench.Sweep, voxbench.Task, voxbench.evaluate, voxbench.run, voxbench.plan, voxbench.report
sys.exit("torch" in sys.modules)
"""


@pytest.fixture
def example(monkeypatch):
    """The example plugin as loose files."""
    for registry in (TASKS, BASELINES, ARCHITECTURES):
        monkeypatch.setattr(registry, "loose", {})
    plugins.include(EXAMPLE)


def test_every_name_is_there():
    assert all(getattr(voxbench, name) is not None for name in voxbench.__all__)
    assert dir(voxbench) == sorted(voxbench.__all__)


def test_a_name_that_is_not_there_is_said_so():
    with pytest.raises(AttributeError, match="module 'voxbench' has no attribute 'Taks'"):
        voxbench.Taks  # noqa: B018


def test_looking_at_it_costs_no_torch():
    subprocess.run([sys.executable, "-c", PROBE], check=True, timeout=60)


def test_planning_costs_no_torch():
    code = (
        "import sys; from voxbench.running import plan, remarks; sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_rooms_hide_no_verb():
    from voxbench.reporting import report
    from voxbench.running import sweep

    assert callable(voxbench.run)
    assert callable(voxbench.report)
    assert sweep.run_sweep
    assert report.Report


def test_a_module_run_is_the_command_line():
    words = [sys.executable, "-m", "voxbench", "--version"]
    told = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    assert told == f"voxbench {voxbench.__version__}\n"


def test_a_sweep_of_two_cells_runs_in_a_notebook(example, tmp_path):
    sweep = make_sweep()
    output = tmp_path / "out"
    assert [cell.state for cell in voxbench.plan(sweep, output)] == ["missing"] * 2
    assert [cell.state for cell in voxbench.run(sweep, output)] == ["cached"] * 2
    records = voxbench.load_records(output)
    assert [record.status for record in records] == ["ok"] * 2
    assert voxbench.load_scores(output).num_rows == sum(
        len(case.classes) for record in records for case in record.cases
    )
    assert voxbench.report(output).page.is_file()


def test_a_sweep_may_be_a_mapping_a_path_or_a_path_s_text(example, tmp_path):
    file = tmp_path / "tiny.toml"
    file.write_text(
        'name = "tiny"\ntasks = "cubes"\nbaselines = [{name = "scratch", size = "tiny"}]\n'
        'fractions = "2 shots"\nseeds = 2\n'
        '[recipe]\nsteps = 4\npatch = [16, 16, 16]\naugmentation = "none"\n'
        '[pretraining]\nsteps = 4\npatch = [16, 16, 16]\naugmentation = "none"\n'
    )
    mapping = {
        "name": "tiny",
        "tasks": "cubes",
        "baselines": [{"name": "scratch", "size": "tiny"}],
        "fractions": "2 shots",
        "seeds": 2,
        "recipe": {"steps": 4, "patch": [16, 16, 16], "augmentation": "none"},
    }
    plans = [voxbench.plan(sweep, tmp_path) for sweep in (make_sweep(), mapping, file, str(file))]
    keys = [[cell.key for cell in plan] for plan in plans]
    assert keys == [keys[0]] * 4


def test_a_mistake_in_a_sweep_is_told():
    with pytest.raises(SpecError, match="Did you mean 'smoke'"):
        voxbench.run("smok")
    with pytest.raises(SpecError, match="unknown key 'sedes'"):
        voxbench.plan({"name": "x", "tasks": "cubes", "baselines": "scratch", "sedes": 1})
