"""As many cores as affinity and control groups grant, and as many threads as were asked for."""

import os

import pytest
from voxbench import cores


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine of 8 cores whose control groups a test writes."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)), raising=False)
    monkeypatch.setattr(cores, "_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(cores, "_OWN", tmp_path / "own")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    def write(own: str, **files: str):
        (tmp_path / "own").write_text(own)
        for place, text in files.items():
            path = tmp_path / "cgroup" / place.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return write


def test_without_a_control_group_all_cores_count(machine):
    assert cores.available_cores() == 8


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1), ("max 100000", 8), ("x", 8)],
)
def test_the_quota_of_a_container_counts(machine, quota, expected):
    machine("0::/\n", cpu_DOT_max=quota)
    assert cores.available_cores() == expected


def test_the_tightest_group_above_counts(machine):
    machine("0::/job/task\n", job__cpu_DOT_max="300000 100000", job__task__cpu_DOT_max="max 100000")
    assert cores.available_cores() == 3


def test_the_older_layout_counts_too(machine):
    machine(
        "5:memory:/a\n4:cpu,cpuacct:/a\n",
        **{"cpu,cpuacct__a__cpu_DOT_cfs_quota_us": "400000\n"},
        **{"cpu,cpuacct__a__cpu_DOT_cfs_period_us": "100000\n"},
    )
    assert cores.available_cores() == 4


def test_no_quota_of_the_older_layout_is_minus_one(machine):
    machine(
        "4:cpu:/a\n",
        cpu__a__cpu_DOT_cfs_quota_us="-1\n",
        cpu__a__cpu_DOT_cfs_period_us="100000\n",
    )
    assert cores.available_cores() == 8


@pytest.mark.parametrize(("processes", "expected"), [(1, 8), (2, 4), (3, 2), (20, 1)])
def test_processes_share_the_cores(machine, processes, expected):
    assert cores.threads_each(processes) == expected


@pytest.mark.parametrize(
    ("asked", "expected"), [("2", 2), ("2,1", 2), ("64", 8), ("0", 8), ("many", 8), ("", 8)]
)
def test_one_process_takes_no_more_threads_than_were_asked_for(
    machine, monkeypatch, asked, expected
):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert cores.threads_each(1) == expected
