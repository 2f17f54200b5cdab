"""A worker takes its share of the cores, and no more threads than were asked for."""

import pytest
from voxbench import cores
from voxbench.running.engines.pool import workers_of
from voxbench.running.options import Options, Run

from tests.running.conftest import make_sweep


@pytest.mark.parametrize(("jobs", "asked", "threads"), [(1, "", 8), (1, "2", 2), (4, "8", 2)])
def test_threads_of_a_worker(example, tmp_path, monkeypatch, jobs, asked, threads):
    monkeypatch.setattr(cores, "available_cores", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    found = workers_of(Run(make_sweep(), tmp_path, Options(jobs=jobs)))
    assert [worker.threads for worker in found] == [threads] * jobs


def test_steps_as_an_axis_are_not_raced(example, tmp_path):
    from voxbench.errors import SpecError
    from voxbench.running.race import run_race

    with pytest.raises(SpecError, match=r"name one number of recipe\.steps"):
        run_race(make_sweep(recipe={"steps": [4, 8], "patch": [16, 16, 16]}), tmp_path)
