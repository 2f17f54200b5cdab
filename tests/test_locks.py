"""A lock keeps others out while its holder lives, and no longer; no clock is trusted."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from voxbench import locks
from voxbench.errors import DataError
from voxbench.locks import Lock, locked, take

HOLD = (
    "import sys, time; from pathlib import Path; from voxbench.locks import take\n"
    "assert take(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
)


class Clock:
    """Of this process, as far as a test turns it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(locks.time, "monotonic", made.monotonic)
    monkeypatch.setattr(locks, "_WATCH", locks._Watch())
    return made


def elsewhere(path: Path, token: str = "theirs") -> None:
    """Let a process of another machine hold a lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"token": token, "host": "other", "machine": "other", "pid": 1, "job": ""}
    path.write_text(json.dumps(told))


def watched(path: Path, clock: Clock, seconds: float, step: float = 10.0) -> Lock | None:
    """Look at a lock now and then until it can be taken, for so long."""
    until = clock.now + seconds
    while clock.now <= until:
        if lock := take(path):
            return lock
        clock.now += step
    return None


def test_one_of_two_takes_a_lock_and_the_other_after_it_is_released(tmp_path):
    first = take(tmp_path / "a" / "key")
    assert first.held
    assert take(tmp_path / "a" / "key") is None
    first.release()
    assert list((tmp_path / "a").iterdir()) == []
    second = take(tmp_path / "a" / "key")
    assert second.held
    assert not first.held
    second.release()


def test_a_lock_tells_who_holds_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    lock = take(tmp_path / "key")
    holder = locks.holder_of(tmp_path / "key")
    assert (holder.pid, holder.job) == (os.getpid(), "SLURM_JOB_ID=42")
    assert holder.host
    assert locks.is_alive(holder)
    lock.release()


def test_the_lock_of_a_killed_process_is_free_at_once_on_its_machine(tmp_path):
    path = tmp_path / "key"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        assert take(path) is None
        holder.kill()
        holder.wait()
    lock = take(path)
    assert lock.held
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_is_touched_is_never_taken_whatever_the_clocks_say(tmp_path, clock):
    path = tmp_path / "key"
    elsewhere(path)
    for moment in (0, 2_000_000_000, 4_000_000_000, 1):  # by another clock, long ago or to come
        os.utime(path, (moment, moment))
        assert watched(path, clock, locks.STALE_S - 30) is None
    assert locks.is_alive(locks.holder_of(path)) is False  # it was silent for minutes
    os.utime(path, (2, 2))
    assert locks.is_alive(locks.holder_of(path))


def test_a_lock_that_nobody_touches_is_taken_after_the_time_that_is_told(tmp_path, clock):
    path = tmp_path / "key"
    elsewhere(path)
    os.utime(path, (4_000_000_000, 4_000_000_000))
    began = clock.now
    lock = watched(path, clock, 2 * locks.STALE_S)
    assert locks.STALE_S < clock.now - began <= locks.STALE_S + 20
    assert lock.held
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_machine_that_slept_does_not_take_the_others_for_gone(tmp_path, clock):
    path = tmp_path / "key"
    elsewhere(path)
    assert take(path) is None
    clock.now += 24 * 3600
    assert take(path) is None


def test_a_holder_that_was_silent_for_too_long_has_lost_its_lock_and_leaves_the_next_ones(
    tmp_path, clock
):
    path = tmp_path / "key"
    elsewhere(path)
    paused = Lock(path, locks.holder_of(path))
    assert paused.held
    thief = watched(path, clock, 2 * locks.STALE_S)
    assert not paused.held
    paused.touch()
    paused.release()
    assert thief.held
    thief.release()
    assert list(tmp_path.iterdir()) == []


def test_a_holder_that_ended_before_it_wrote_its_name_is_followed_too(tmp_path, clock):
    path = tmp_path / "key"
    path.touch()
    lock = watched(path, clock, 2 * locks.STALE_S)
    assert lock.held
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_who_judged_a_lock_before_it_was_released_does_not_take_the_next_one(tmp_path, monkeypatch):
    """Between the judgement and the act the lock is taken over, released and taken anew."""
    path, create = tmp_path / "key", locks._create
    elsewhere(path)
    monkeypatch.setattr(locks._Watch, "is_gone", lambda _self, holder: holder.host == "other")
    others: list[Lock] = []

    def late(file):
        monkeypatch.setattr(locks, "_create", create)
        take(path).release()
        others.append(take(path))
        return create(file)

    monkeypatch.setattr(locks, "_create", late)
    assert take(path) is None
    assert others[0].held
    others[0].release()
    assert list(tmp_path.iterdir()) == []


def test_of_many_that_find_a_lock_left_one_takes_it(tmp_path):
    """Processes that take, hold and are killed at random: never two at a time."""
    code = (
        "import os, random, sys, time; from pathlib import Path; from voxbench.locks import take\n"
        "path, inside, seed = Path(sys.argv[1]), Path(sys.argv[2]), random.Random(sys.argv[3])\n"
        "until = time.monotonic() + 1.5\n"
        "while time.monotonic() < until:\n"
        "    if lock := take(path):\n"
        "        mine = inside / f'{os.getpid()}'\n"
        "        mine.touch()\n"
        "        living = [p for p in inside.iterdir() if Path('/proc', p.name).exists()]\n"
        "        if living != [mine]: print('two', living, flush=True)\n"
        "        if seed.random() < 0.02: os._exit(0)\n"
        "        print('held', flush=True)\n"
        "        mine.unlink()\n"
        "        lock.release()\n"
    )
    inside, path = tmp_path / "inside", tmp_path / "locks" / "key"
    inside.mkdir()
    words = [sys.executable, "-c", code, str(path), str(inside)]
    with (tmp_path / "told").open("w") as told:
        running = [subprocess.Popen([*words, str(n)], stdout=told) for n in range(6)]
        while [process for process in running if process.poll() is None]:  # and bury those killed
            time.sleep(0.01)
    lines = (tmp_path / "told").read_text().splitlines()
    assert not [line for line in lines if line.startswith("two")]
    assert lines.count("held") > 20
    if lock := take(path):
        lock.release()
    assert list(path.parent.iterdir()) == []


def test_a_held_lock_is_touched(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "BEAT_S", 0.01)
    monkeypatch.setattr(locks, "_PULSE", locks._Pulse())
    lock = take(tmp_path / "key")
    os.utime(lock.holder.file, (1, 1))
    until = time.monotonic() + 10
    while lock.holder.file.stat().st_mtime == 1:
        assert time.monotonic() < until
        time.sleep(0.01)
    lock.release()


def test_who_waits_for_a_folder_has_it_once_it_is_released(tmp_path):
    folder, random_ = tmp_path / "weights", random.Random(0)
    code = (
        "import sys, time; from pathlib import Path; from voxbench.locks import locked\n"
        "with locked(Path(sys.argv[1])):\n"
        f"    print('held', flush=True); time.sleep({random_.uniform(0.1, 0.3)})"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with locked(folder):
            assert locks.holder_of(folder / "claim").pid == os.getpid()
        assert holder.wait(10) == 0


def test_a_folder_that_cannot_be_made_is_one_error_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    message = "set VOXBENCH_CACHE to one that can"
    with pytest.raises(DataError, match=message), locked(tmp_path / "file"):
        pytest.fail("held")
