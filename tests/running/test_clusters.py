"""Real clusters on this machine: whatever happens to their nodes, the scores are those of one run.

`nox -s ray` and `nox -s slurm`; each needs its programs and skips with the reason where they lack.
"""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from voxbench import plugins
from voxbench.design.sweep_file import written_sweep
from voxbench.plugins import ARCHITECTURES, BASELINES, TASKS
from voxbench.records import Store, claims
from voxbench.running import queue
from voxbench.running.engines import slurm
from voxbench.running.engines.ray import Ray
from voxbench.running.engines.slurm import Slurm
from voxbench.running.options import Options
from voxbench.running.slurm_queue import pilots_name
from voxbench.running.sweep import run_sweep

from tests.running.conftest import EXAMPLE, Notes, make_sweep
from tests.running.one_node_slurm import asked, lacking, one_node_slurm

pytestmark = pytest.mark.cluster

ARMS = [{"name": "example-denoising", "size": "tiny"}, {"name": "scratch", "size": "tiny"}]
LONG = {"steps": 100, "patch": [16, 16, 16], "augmentation": "none"}
"""Some seconds of training, so that there is something to interrupt."""


@pytest.fixture(scope="module")
def sweep():
    """Weights that are made here, and two cells."""
    kept = [(registry, registry.loose) for registry in (TASKS, BASELINES, ARCHITECTURES)]
    for registry, _ in kept:
        registry.loose = {}
    plugins.include(EXAMPLE)
    yield make_sweep(name="cluster", baselines=ARMS, seeds=1, recipe=LONG, pretraining=LONG)
    for registry, loose in kept:
        registry.loose = loose


@pytest.fixture(scope="module")
def alone(sweep, tmp_path_factory) -> dict[str, str]:
    """The scores of a run on this machine, with one thread a cell as on the clusters."""
    root = tmp_path_factory.mktemp("alone")
    run_sweep(sweep, root, Options(include=[EXAMPLE]))
    return scores(root)


@pytest.fixture
def others(monkeypatch, tmp_path) -> None:
    """Processes of others find these sources, and no weights that were made before."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))


def scores(root: Path) -> dict[str, str]:
    """Key → what must be equal to the byte."""
    told = {"status", "cases", "training", "validation", "data"}
    return {record.key: record.model_dump_json(include=told) for record in Store(root)}


class Watching(Notes):
    """Also remembers what was tried again, and does something once a training goes on."""

    def __init__(self, then) -> None:
        super().__init__()
        self.then, self.retries = then, []

    def heard(self, job, news) -> None:
        print(time.strftime("%T"), job, news, flush=True)
        if self.then and getattr(news, "doing", "") == "training":
            then, self.then = self.then, None
            then()

    def retried(self, retry) -> None:
        print(time.strftime("%T"), "again:", retry.job, retry.failure, flush=True)
        self.retries.append(retry)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning")
def test_ray_runs_the_cells_of_a_lost_node_elsewhere(sweep, alone, others, monkeypatch, tmp_path):
    pytest.importorskip("ray", reason="ray is not installed: pip install 'voxbench[ray]'")
    from ray.cluster_utils import Cluster

    monkeypatch.setattr(queue, "RETRIES_S", (1.0, 1.0))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        node = cluster.add_node(num_cpus=1)
        watch = Watching(lambda: cluster.remove_node(node, allow_graceful=False))
        options = Options(engine=Ray(address=cluster.address), include=[EXAMPLE])
        done = run_sweep(sweep, tmp_path, options, watch)
    finally:
        cluster.shutdown()
    assert {one.state for one in done} == {"cached"}
    assert len(watch.retries) >= 1
    assert scores(tmp_path) == alone


def test_ray_s_driver_may_die_and_come_back(sweep, alone, others, tmp_path):
    pytest.importorskip("ray", reason="ray is not installed: pip install 'voxbench[ray]'")
    from ray.cluster_utils import Cluster

    spec, root = tmp_path / "cluster.toml", tmp_path / "out"
    spec.write_text(written_sweep(sweep))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    words = [sys.executable, "-m", "voxbench", "run", spec, "-o", root, "--engine", "ray"]
    words += ["--set", f"engine.ray.address={cluster.address}", "--include-path", EXAMPLE]
    try:
        first = subprocess.Popen(words)
        while len(Store(root).files()) < 1 or not list(claims.claimed(root)):
            assert first.poll() is None
            time.sleep(0.05)
        before = {path: path.stat().st_mtime_ns for path in Store(root).files()}
        first.kill()
        first.wait()
        assert len(before) == 1  # and the other cell is being trained
        assert list(claims.claimed(root))
        assert subprocess.run(words, timeout=900).returncode == 0
    finally:
        cluster.shutdown()
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert scores(root) == alone
    assert list(claims.claimed(root)) == []


@pytest.fixture
def node(others, monkeypatch, tmp_path):
    pytest.importorskip("submitit", reason="submitit is not installed")
    if program := lacking():
        pytest.skip(f"{program} is not installed: apt-get install slurm-wlm munge")
    with one_node_slurm(tmp_path / "slurm") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield environment


def test_slurm_s_pilots_are_queued_again_and_train_each_cell_once(
    sweep, alone, node, monkeypatch, tmp_path
):
    monkeypatch.setattr(slurm, "_LOOK_S", 0.5)
    root = tmp_path / "out"
    trouble = threading.Thread(target=_trouble, args=(node, root), daemon=True)
    trouble.start()
    options = Options(engine=Slurm(parallel=2, time=20, cpus_per_task=1), include=[EXAMPLE])
    run_sweep(sweep, root, options, Watching(None))
    trouble.join(60)
    logs = sorted((root / "slurm").glob("*/*_log.out"))
    said = "\n".join(f"{log}:\n{log.read_text()}" for log in logs)
    print(said)
    assert scores(root) == alone
    assert "this job is preempted" in said
    assert said.count("Requeued job") == 1


def _trouble(node: dict[str, str], root: Path) -> None:
    """One pilot is preempted while it trains; later all are cancelled."""
    name = pilots_name(root)

    def running() -> list[str]:
        words = ("squeue", "-h", "-r", "--name", name, "--states", "RUNNING", "-o", "%i")
        return asked(node, *words).split()

    while not list(claims.claimed(root)) or not running():
        time.sleep(0.2)
    first = running()[0]
    print(time.strftime("%T"), "preempted:", first, flush=True)
    subprocess.run(["scancel", "--signal=USR2", first], check=True, timeout=60)
    while not list(Store(root).glances()):
        time.sleep(0.2)
    print(time.strftime("%T"), "all cancelled:", running(), flush=True)
    subprocess.run(["scancel", f"--name={name}"], check=True, timeout=60)
