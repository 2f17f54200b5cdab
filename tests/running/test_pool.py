"""Worker processes: what breaks or blocks one costs its cell, and none outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from voxbench import plugins
from voxbench.design.sweep_file import parse_sweep
from voxbench.records import Store
from voxbench.running import queue
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep

from tests.running.conftest import EXAMPLE, Notes

FAULTY = """
import os, signal, sys, time
from dataclasses import dataclass
from typing import ClassVar
from voxbench.api import Baseline, BaselineCard

def made(name, fault):
    def backbone(self, channels):
        fault()
        return Baseline.backbone(self, channels)
    card = BaselineCard(name=name, strategy="scratch", licence="x", reference="y")
    body = {"card": card, "backbone": backbone, "twin": None, "__module__": __name__,
            "__annotations__": {"card": ClassVar[BaselineCard]}}
    made = dataclass(frozen=True, kw_only=True)(type(name, (Baseline,), body))
    return made

def interrupt():
    raise KeyboardInterrupt

A = made("exits", lambda: sys.exit(0))
B = made("leaves", lambda: os._exit(0))
C = made("hangs", lambda: time.sleep(600))
D = made("interrupts", interrupt)
E = made("is-killed", lambda: os.kill(os.getpid(), signal.SIGKILL))
F = made("forks", os.fork)
G = made("needs-memory", lambda: bytearray(1 << 60))
"""
FAULTS = {
    "exits": "a plugin ended its process: sys.exit(0)",
    "leaves": "died with exit code 0",
    "hangs": "not done in 0.5 minutes (--time-limit)",
    "interrupts": "died with exit code",
    "is-killed": "died with signal 9 (out of memory?)",
    "needs-memory": "out of memory (MemoryError); set recipe.micro_batch",
}


@pytest.fixture
def faulty(example, tmp_path, monkeypatch):
    """A folder of baselines each of which does its process another harm."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "faulty.py").write_text(FAULTY)
    plugins.include(folder)
    monkeypatch.setattr(queue, "RETRIES_S", (0.0,))
    return folder


def sweep_of(*arms: str):
    return parse_sweep(
        {
            "name": "faults",
            "tasks": ["cubes"],
            "baselines": [*({"name": arm, "size": "tiny"} for arm in arms)],
            "fractions": ["1 shot"],
            "seeds": 1,
            "recipe": {"steps": 1, "patch": [16, 16, 16], "augmentation": "none", "overlap": 0},
        }
    )


class Retries(Notes):
    def __init__(self) -> None:
        super().__init__()
        self.again: list[str] = []

    def retried(self, retry) -> None:
        self.again.append(str(retry.job).split(" · ")[1].partition("[")[0])


@pytest.mark.slow
def test_a_plugin_that_breaks_its_process_costs_its_one_cell(faulty, tmp_path):
    watch, root = Retries(), tmp_path / "out"
    options = Options(jobs=1, isolated=True, include=[EXAMPLE, faulty], time_limit_s=30, limit=1)
    run_sweep(sweep_of(*FAULTS, "forks", "scratch"), root, options, watch)
    found = {record.arm.baseline.partition("[")[0]: record for record in Store(root)}
    assert found.pop("scratch").status == "ok"
    assert found.pop("forks").status == "ok"
    assert {name for name in FAULTS if FAULTS[name] not in found[name].failure} == set()
    assert sorted(watch.again) == ["is-killed", "needs-memory"]
    assert not list(root.rglob("*.tmp"))


@pytest.mark.parametrize("moment", [0.0, 0.1, 1.0])
def test_no_worker_outlives_a_parent_that_is_killed(example, tmp_path, moment):
    code = (
        "import sys, time; from pathlib import Path\n"
        "from voxbench.running.engines.process import WorkerProcess\n"
        "from voxbench.running.worker import Worker\n"
        "workers = [WorkerProcess(Worker(Path('out'), 's')) for _ in range(2)]\n"
        "print(*[worker.process.pid for worker in workers], flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        workers = [int(word) for word in parent.stdout.readline().split()]
        time.sleep(moment)
        parent.send_signal(signal.SIGKILL)
    assert len(workers) == 2
    limit = time.monotonic() + 2
    while any(map(alive, workers)):
        assert time.monotonic() < limit, "a worker lives on"
        time.sleep(0.02)


def alive(process: int) -> bool:
    """Whether it runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
