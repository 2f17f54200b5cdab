"""Pilots of Slurm: what they are given, how they are watched, and what they do when they end.

Slurm and submitit are played by a few lines here; `nox -s slurm` takes the real ones.
"""

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from voxbench.design.sweep_file import read_sweep
from voxbench.errors import EngineError, SpecError
from voxbench.records import Store
from voxbench.running.engines import slurm
from voxbench.running.engines.pilot import Pilot
from voxbench.running.engines.slurm import Slurm
from voxbench.running.options import Options
from voxbench.running.race import run_race
from voxbench.running.slurm_queue import pilots_name
from voxbench.running.sweep import run_sweep

from tests.running.conftest import Notes, make_sweep
from tests.running.quick import quick_cells


class PlayedSlurm:
    """Commands in a folder that come first on PATH, and submitit.

    Attributes:
        queue: what squeue prints.
        asked: what was asked of scontrol and scancel.
        submitted: of each submission the parameters and the pilots.
        refusal: what sbatch says instead of taking a job.
    """

    def __init__(self, folder: Path) -> None:
        self.queue, self.asked = folder / "queue", folder / "asked"
        self.submitted: list[tuple[dict, list[Pilot]]] = []
        self.refusal = ""
        self.said("")
        self.asked.write_text("")
        self.command("squeue", f'cat "{self.queue}"')
        for name in ("scontrol", "scancel"):
            self.command(name, f'echo {name} "$@" >> "{self.asked}"')

    def command(self, name: str, body: str) -> None:
        path = self.queue.parent / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def said(self, queue: str) -> None:
        self.queue.write_text(queue)

    def modules(self) -> dict[str, ModuleType]:
        """Submitit, as far as it is used."""
        played = self

        class Executor:
            def __init__(self, folder, max_num_timeout):
                self.folder = Path(folder)

            def update_parameters(self, **given):
                self.given = given

            @contextmanager
            def batch(self):
                self.pilots = []
                if played.refusal:
                    raise RuntimeError(played.refusal)
                yield
                played.submitted.append((self.given, self.pilots))

            def submit(self, pilot):
                self.pilots.append(pilot)
                return Submitted()

        class Submitted:
            job_id = "17_0"

        top, core, utils = (ModuleType(f"submitit{end}") for end in ("", ".core", ".core.utils"))
        top.SlurmExecutor = Executor
        utils.FailedJobError = utils.FailedSubmissionError = RuntimeError
        return {one.__name__: one for one in (top, core, utils)}


@pytest.fixture
def played(monkeypatch, tmp_path) -> PlayedSlurm:
    folder = tmp_path / "bin"
    folder.mkdir()
    found = PlayedSlurm(folder)
    for name, module in found.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    return found


@pytest.fixture
def turns(monkeypatch):
    """What happens at each look, in place of waiting."""
    found: list = []
    monkeypatch.setattr(slurm, "_LOOK_S", 0)
    monkeypatch.setattr(slurm, "wait", lambda _seconds: found.pop(0)() if found else None)
    return found


def test_pilots_work_while_this_process_only_looks_at_records(
    played, turns, example, monkeypatch, tmp_path
):
    quick_cells(monkeypatch)
    sweep, notes = make_sweep(seeds=3), Notes()
    turns += [
        lambda: played.said("RUNNING (None)\nPENDING (Resources)"),
        lambda: run_sweep(sweep, tmp_path / "out", Options(jobs=1)),
    ]
    options = Options(engine=Slurm(parallel=2), include=[example])
    done = run_sweep(sweep, tmp_path / "out", options, notes)
    assert [one.state for one in done] == ["cached"] * 3
    assert [len(pilots) for _, pilots in played.submitted] == [2]
    assert played.asked.read_text().startswith("scancel --state=PENDING --name=voxbench-out-")


def test_a_pilot_is_given_the_very_sweep_and_options_that_work_knows(
    played, turns, example, monkeypatch, tmp_path
):
    quick_cells(monkeypatch)
    sweep = make_sweep(fractions=[1 / 3, "2 shots"], engine={"slurm": {"time": 90}})
    turns.append(lambda: run_sweep(sweep, tmp_path / "a b", Options(jobs=1, limit=2)))
    engine = Slurm(time=90, partition="gpu", gres="gpu:1", sbatch=("reservation=x", "exclusive"))
    options = Options(
        engine=engine, include=[example], limit=2, predictions=True, weights=True, time_limit_s=90.0
    )
    run_sweep(sweep, tmp_path / "a b", options)
    (given, pilots), *_ = played.submitted
    assert given == {
        "partition": "gpu",
        "gres": "gpu:1",
        "time": 90,
        "job_name": pilots_name(tmp_path / "a b"),
        "array_parallelism": len(pilots),
        "setup": [],
        "stderr_to_stdout": True,
        "additional_parameters": {"requeue": True, "reservation": "x", "exclusive": True},
    }
    assert " " not in given["job_name"]
    words = pilots[0].words
    assert words[1:4] == ("-m", "voxbench", "work")
    assert read_sweep(Path(words[4])) == sweep.model_copy(update={"engine": {}})
    assert words[5:] == (
        *("-o", str(tmp_path / "a b"), "--minutes", "87", "--include-path", str(example)),
        *("--limit", "2", "--time-limit", "1.5", "--predictions", "--keep-weights"),
    )


def test_pilots_that_another_process_queued_are_not_queued_again(
    played, turns, example, monkeypatch, tmp_path
):
    quick_cells(monkeypatch)
    sweep = make_sweep()
    played.said("RUNNING (None)")
    turns.append(lambda: run_sweep(sweep, tmp_path / "out", Options(jobs=1)))
    run_sweep(sweep, tmp_path / "out", Options(engine=Slurm()))
    assert played.submitted == []


def test_pilots_that_end_again_and_again_with_nothing_done_are_told(
    played, turns, example, tmp_path
):
    logs = tmp_path / "out" / "slurm" / "17"
    logs.mkdir(parents=True)
    (logs / "17_0_0_log.out").write_text("starting\nvoxbench: no such folder.\n")
    with pytest.raises(EngineError, match=r"(?s)3 times all pilots ended.*no such folder"):
        run_sweep(make_sweep(), tmp_path / "out", Options(engine=Slurm()))
    assert len(played.submitted) == 3
    assert list(Store(tmp_path / "out")) == []


def test_what_slurm_refuses_is_told_in_its_words(played, turns, example, tmp_path):
    played.refusal = "sbatch: error: invalid partition specified: gpuu"
    with pytest.raises(EngineError, match=r"slurm: sbatch: error: invalid partition.*engine.slurm"):
        run_sweep(make_sweep(), tmp_path / "out", Options(engine=Slurm(partition="gpuu")))


def test_a_machine_outside_a_cluster_is_told(example, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="squeue: not found; is this a machine of a Slurm"):
        run_sweep(make_sweep(), tmp_path / "out", Options(engine=Slurm()))


def test_a_race_is_no_work_for_pilots(example, tmp_path):
    with pytest.raises(SpecError, match="this engine runs whatever is missing"):
        run_race(make_sweep(), tmp_path, Options(engine=Slurm()))


def test_mistakes_in_its_table_are_told():
    with pytest.raises(ValueError, match="at least 2 minutes"):
        Slurm(time=1)
    with pytest.raises(ValueError, match="'--exclusive': write it as"):
        Slurm(sbatch=("--exclusive",))


def test_a_missing_extra_is_one_line_with_the_way_out(monkeypatch):
    monkeypatch.setattr(slurm, "find_spec", lambda _name: None)
    assert Slurm.lacks() == "it needs submitit: pip install 'voxbench[slurm]'."


@pytest.mark.parametrize(
    ("code", "state", "asked"),
    [
        (0, "RUNNING", ""),
        (75, "RUNNING", "scontrol requeue 17\n"),
        (75, "CANCELLED", ""),  # whoever cancelled it does not want it back
        (2, "RUNNING", ""),
    ],
)
def test_a_pilot_is_queued_again_where_work_is_left_and_nobody_decided_otherwise(
    played, code, state, asked
):
    played.said(state)
    pilot = Pilot((sys.executable, "-c", f"raise SystemExit({code})"))
    if code:
        with pytest.raises(SystemExit) as ended:
            pilot()
        assert ended.value.code == code
    else:
        pilot()
    assert played.asked.read_text() == asked


def test_status_shows_the_queue_beside_the_records(
    played, example, monkeypatch, tmp_path, voxbench
):
    quick_cells(monkeypatch)
    run_sweep(make_sweep(), tmp_path / "out", Options(jobs=1))
    assert "Slurm" not in voxbench("status", tmp_path / "out")[1]
    (tmp_path / "out" / "slurm").mkdir()
    played.said("RUNNING (None)\nRUNNING (None)\nPENDING (Priority)\n")
    told = voxbench("status", tmp_path / "out")[1]
    first, _, last = told.splitlines()
    assert first == "2 ok, 0 failed"
    assert last == "pilots in Slurm's queue: 2 RUNNING, 1 PENDING (Priority)"
    played.command("squeue", "echo slurm_load_jobs error: away >&2; exit 1")
    assert "queue: squeue: slurm_load_jobs error: away." in voxbench("status", tmp_path / "out")[1]
