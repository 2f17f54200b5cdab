"""Tasks of Ray: how many, what becomes of lost ones, and what is told of mistakes.

Ray is played by a few lines here; `nox -s ray` takes the real one.
"""

import sys
from types import ModuleType, SimpleNamespace

import pytest
from voxbench.errors import EngineError
from voxbench.running import queue
from voxbench.running.engines import ray as engine
from voxbench.running.engines.ray import Ray
from voxbench.running.options import Options, Run
from voxbench.running.sweep import run_sweep

from tests.running.conftest import Notes, make_sweep
from tests.running.quick import quick_cells


class PlayedRay(ModuleType):
    """Does each task when it is asked for.

    Attributes:
        there: the resources of the cluster.
        losses: how many of the next tasks are lost with their node.
        asked: what tasks were asked to take.
        hangs: the next task never ends.
        cancelled: tasks that were ended.
    """

    def __init__(self) -> None:
        super().__init__("ray")
        self.there = {"CPU": 4.0}
        self.losses = 0
        self.asked: list[dict] = []
        self.hangs = False
        self.cancelled: list = []
        self.addresses: list[str] = []
        self.exceptions = SimpleNamespace(RayError=LostError, TaskCancelledError=CancelledError)

    def is_initialized(self) -> bool:
        return False

    def init(self, address, **_given) -> None:
        if address == "nowhere:1":
            raise ConnectionError("Could not find any running Ray instance.")
        self.addresses.append(address)

    def shutdown(self) -> None:
        pass

    def cluster_resources(self) -> dict[str, float]:
        return self.there

    def remote(self, function):
        def options(**given):
            self.asked.append(given)
            return SimpleNamespace(remote=lambda *words: (object(), function, words))

        return SimpleNamespace(options=options)

    def wait(self, tasks, *, num_returns, timeout):
        able = tasks[1:] if self.hangs else tasks
        ended = able[:num_returns]
        return ended, [task for task in tasks if task not in ended]

    def cancel(self, task, *, force):
        self.hangs = False
        self.cancelled.append((task, force))

    def get(self, task):
        _, function, words = task
        if self.losses:
            self.losses -= 1
            raise LostError("The node was lost.\nIts log says nothing.")
        return function(*words)


class LostError(Exception):
    pass


class CancelledError(LostError):
    pass


class PlayedQueue:
    def __init__(self, actor_options) -> None:
        self.told: list = []

    def put(self, said) -> None:
        self.told.append(said)

    def qsize(self) -> int:
        return len(self.told)

    def get_nowait_batch(self, count):
        told, self.told = self.told[:count], self.told[count:]
        return told


@pytest.fixture
def ray(monkeypatch) -> PlayedRay:
    played, util, queues = PlayedRay(), ModuleType("ray.util"), ModuleType("ray.util.queue")
    queues.Queue = PlayedQueue
    for module in (played, util, queues):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(queue, "RETRIES_S", (0.0, 0.0))
    return played


def test_a_sweep_s_cells_are_tasks(ray, example, monkeypatch, tmp_path):
    quick_cells(monkeypatch)
    notes = Notes()
    done = run_sweep(make_sweep(), tmp_path, Options(engine=Ray(gpus=0.5)), notes)
    assert [one.state for one in done] == ["cached", "cached"]
    assert len(notes.outcomes) == 2
    assert ray.addresses == ["local"]
    assert ray.asked[0]["num_gpus"] == 0.5


def test_a_lost_node_s_cell_is_done_again(ray, example, monkeypatch, tmp_path):
    quick_cells(monkeypatch)
    told = []

    class Watching(Notes):
        def retried(self, retry):
            told.append(retry.failure)

    ray.losses = 2
    done = run_sweep(make_sweep(), tmp_path, Options(engine=Ray()), Watching())
    assert [one.state for one in done] == ["cached", "cached"]
    assert told == ["Ray lost its task: The node was lost."] * 2


def test_a_task_that_takes_too_long_is_ended_and_fails_alone(ray, example, monkeypatch, tmp_path):
    quick_cells(monkeypatch)
    ray.hangs = True
    options = Options(engine=Ray(), time_limit_s=-1)  # which those that end at once keep
    done = run_sweep(make_sweep(), tmp_path, options)
    assert [one.state for one in done] == ["failed", "cached"]
    assert "(--time-limit); its task was ended" in done[0].reason
    assert [force for _, force in ray.cancelled] == [True]


def test_as_many_tasks_as_the_scarcest_resource_has_room_for(ray, example, tmp_path):
    run = Run(make_sweep(), tmp_path)
    assert Ray().room(ray, run) == 4
    ray.there = {"CPU": 64.0, "GPU": 3.0, "a100": 2.0}
    assert Ray(cpus=4, gpus=0.5).room(ray, run) == 6
    assert Ray(gpus=1, resources=("a100=1",)).room(ray, run) == 2
    assert Ray(parallel=5).room(ray, run) == 5
    assert Ray(parallel=5).room(ray, Run(make_sweep(), tmp_path, Options(jobs=3))) == 3
    ray.there = {}
    assert Ray().room(ray, run) == 1  # what waits tells the cluster to grow


def test_a_cluster_that_is_not_there_is_told(ray, example, tmp_path):
    with pytest.raises(EngineError, match=r"no cluster at 'nowhere:1': Could not find any running"):
        run_sweep(make_sweep(), tmp_path, Options(engine=Ray(address="nowhere:1")))


def test_mistakes_in_its_table_are_told():
    with pytest.raises(ValueError, match="cpus: at least 1"):
        Ray(cpus=0)
    with pytest.raises(ValueError, match="'a100': write it as a100=1"):
        Ray(resources=("a100",))


def test_a_missing_extra_is_one_line_with_the_way_out(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda _name: None)
    assert Ray.lacks() == "it needs ray: pip install 'voxbench[ray]'."
