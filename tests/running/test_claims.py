"""Any number of processes share a folder: each cell is trained by one, also when some die."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from collections import defaultdict
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from voxbench import locks, stopping
from voxbench.paths import cache_dir
from voxbench.records import Store, claims
from voxbench.running import cell as cell_module
from voxbench.running import queue, time_left
from voxbench.running.bind import bind
from voxbench.running.jobs import CellJob, JobOutcome, PretrainingJob, jobs_for
from voxbench.running.options import Options
from voxbench.running.perform import failed, store_failure
from voxbench.running.queue import JobDoomed, JobFound, Queue
from voxbench.running.sweep import run_sweep
from voxbench.running.worker import Worker

from tests.running.conftest import EXAMPLE, Notes, make_sweep
from tests.running.quick import quick_cells

ALONE, PILOT = Options(jobs=1), Options(jobs=1, stay=False)


def scores(root: Path) -> dict[str, str]:
    return {record.key: record.model_dump_json(include={"cases"}) for record in Store(root)}


def forked(function, *given) -> BaseProcess:
    """A process that has all that this one has, and no part in its locks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which the copy has not
        process = multiprocessing.get_context("fork").Process(target=function, args=given)
        process.start()
    return process


def theirs(root: Path, key: str) -> None:
    """Let a process of another machine claim a key."""
    told = {"token": "theirs", "host": "other", "machine": "other", "pid": 1, "job": ""}
    path = root / "claims" / key[:2] / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told))


def jobs_of(sweep) -> list:
    return jobs_for(bind(sweep))


@pytest.fixture
def begun(monkeypatch, tmp_path):
    """Cells that take a hundredth of a second; gives who began each, in order."""
    quick_cells(monkeypatch)
    quick, log = cell_module.run_cell, tmp_path / "begun"

    def run(record, cell, worker):
        with log.open("a") as file:
            file.write(f"{record.key} {os.getpid()}\n")
        time.sleep(0.01)
        quick(record, cell, worker)

    monkeypatch.setattr(cell_module, "run_cell", run)

    def read() -> dict[str, list[int]]:
        found = defaultdict(list)
        for line in log.read_text().splitlines():
            key, process = line.split()
            found[key].append(int(process))
        return found

    return read


def test_five_that_are_killed_at_random_begin_a_cell_again_only_where_one_was_killed(
    example, begun, tmp_path, monkeypatch
):
    monkeypatch.setattr(queue, "LOOKS_S", (0.05, 0.1))
    sweep, root = make_sweep(seeds=24), tmp_path / "shared"
    moments, killed = random.Random(0), set()
    running: list[BaseProcess] = []
    while len(killed) < 8:
        running = [process for process in running if process.is_alive()]
        running += [forked(run_sweep, sweep, root, PILOT) for _ in range(5 - len(running))]
        time.sleep(moments.uniform(0, 0.1))
        victim = moments.choice(running)
        victim.kill()
        victim.join()
        if victim.exitcode == -signal.SIGKILL:  # and had not ended by itself
            killed.add(victim.pid)
    for process in running:
        process.join()
    run_sweep(sweep, root, ALONE)
    again = {process for who in begun().values() for process in who[:-1]}
    assert again <= killed
    assert len(Store(root).files()) == 24
    assert list(claims.claimed(root)) == []
    run_sweep(sweep, tmp_path / "alone", ALONE)
    assert scores(root) == scores(tmp_path / "alone")


def test_two_runs_in_one_folder_share_the_cells_and_both_end_with_all_of_them(
    example, begun, tmp_path
):
    sweep, root = make_sweep(seeds=20), tmp_path / "shared"

    def run():
        found = run_sweep(sweep, root, ALONE)
        os._exit({one.state for one in found} != {"cached"})

    both = [forked(run) for _ in range(2)]
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    found = begun()
    assert len(found) == 20
    assert {len(who) for who in found.values()} == {1}
    assert len({who[0] for who in found.values()}) == 2


def test_a_pilot_leaves_what_others_work_on_to_them(example, begun, tmp_path):
    sweep, root = make_sweep(seeds=3), tmp_path / "shared"
    key = jobs_of(sweep)[1].id
    claim = claims.take(root, key)
    found = run_sweep(sweep, root, PILOT)
    assert [one.key for one in found if one.state == "missing"] == [key]
    claim.release()


def test_a_pilot_does_not_leave_before_it_has_seen_the_others_live(sweep, tmp_path):
    (job, *_) = jobs_of(sweep)
    theirs(tmp_path, job.id)
    queue = Queue(tmp_path, [job], stay=False)
    assert queue.take() is None
    assert not queue.over
    os.utime(tmp_path / "claims" / job.id[:2] / job.id, (1, 1))
    queue._not_before.clear()
    assert queue.take() is None
    assert queue.over


def test_the_claim_of_a_machine_that_is_gone_is_taken_over(sweep, tmp_path, monkeypatch):
    (job, *_) = jobs_of(sweep)
    theirs(tmp_path, job.id)
    queue = Queue(tmp_path, [job])
    assert queue.take() is None
    monkeypatch.setattr(locks, "STALE_S", -1)
    queue._not_before.clear()
    assert queue.take() is job
    assert dict(claims.claimed(tmp_path))[job.id].pid == os.getpid()
    queue.close()
    assert list(claims.claimed(tmp_path)) == []


def test_the_record_is_looked_for_again_once_a_cell_is_claimed(sweep, tmp_path, monkeypatch):
    (job, *_) = jobs_of(sweep)
    queue, take = Queue(tmp_path, [job]), claims.take

    def slow(root, key):
        path = Store(root).path(key)
        path.parent.mkdir(parents=True)
        path.write_text("{}")
        return take(root, key)

    monkeypatch.setattr(claims, "take", slow)
    assert queue.take() == JobFound(job)
    assert queue.over
    assert list(claims.claimed(tmp_path)) == []


def test_a_failed_cell_that_another_has_tried_again_is_not_tried_once_more(sweep, tmp_path):
    job, *_ = jobs_of(sweep)
    worker = Worker(tmp_path, "tiny")
    store_failure(failed(job, "out of luck", worker), worker)
    job = CellJob(job.cell, again=True)
    queues = [Queue(tmp_path, [job]) for _ in range(2)]
    assert queues[0].take() is job
    store_failure(failed(job, "out of luck", worker), worker)
    queues[0].note(JobOutcome(job, None, "out of luck"))
    assert queues[1].take() == JobFound(job)


def test_weights_that_could_not_be_made_are_tried_by_one_process(example, tmp_path):
    arm = {"name": "masked-autoencoder", "size": "tiny", "source": "cubes", "volumes": 2}
    jobs = jobs_of(make_sweep(baselines=[arm], seeds=1, twins=False, pretraining={"seed": 11}))
    weights, cell = jobs
    assert isinstance(weights, PretrainingJob)
    first, second = (Queue(tmp_path, jobs) for _ in range(2))
    worker = Worker(tmp_path, "tiny")
    assert first.take() is weights
    assert second.take() is None
    first.note(JobOutcome(weights, None, "out of luck"))
    second._not_before.clear()
    assert second.take() is None  # it stays claimed until what needs it has failed with it
    assert first.take() == JobDoomed(cell, "out of luck")
    outcome = failed(cell, "out of luck", worker)
    store_failure(outcome, worker)
    first.note(outcome)
    assert first.over
    first.close()
    second._not_before.clear()
    assert [second.take(), second.take()] == [JobFound(weights), JobFound(cell)]
    assert second.over
    assert weights.id not in dict(claims.claimed(cache_dir()))


def test_weights_that_nothing_waits_for_any_more_are_not_made(example, tmp_path):
    arm = {"name": "masked-autoencoder", "size": "tiny", "source": "cubes", "volumes": 2}
    jobs = jobs_of(make_sweep(baselines=[arm], seeds=1, twins=False, pretraining={"seed": 12}))
    weights, cell = jobs
    queue, worker = Queue(tmp_path, jobs), Worker(tmp_path, "tiny")
    store_failure(failed(cell, "out of luck", worker), worker)  # by another process
    assert [found.job for found in queue.found()] == [cell, weights]
    assert queue.over


def test_a_job_that_there_is_no_time_for_is_left_and_so_is_what_needs_it(example, tmp_path):
    arm = {"name": "masked-autoencoder", "size": "tiny", "source": "cubes", "volumes": 2}
    weights, cell, twin = jobs_of(make_sweep(baselines=[arm], seeds=1, pretraining={"seed": 12}))
    queue = Queue(tmp_path, [weights, cell, twin], fits=lambda job: job is not weights)
    assert queue.take() is twin
    queue.note(JobOutcome(twin, None))
    assert queue.take() is None
    assert queue.over
    assert queue.unfit == {weights.id, cell.id}


def test_what_takes_longer_than_is_left_begins_only_where_it_can_be_taken_up_again(
    sweep, tmp_path, monkeypatch
):
    (job, other) = jobs_of(sweep)
    monkeypatch.setattr(time_left, "with_costs", lambda cells: (cells, []))

    class One:
        key, seconds = job.id, 1000.0

    for left, begins, unknown in ((2000, True, True), (500, True, True), (60, False, True)):
        may_begin = time_left.fits([One], time.monotonic() + left)
        assert (may_begin(job), may_begin(other)) == (begins, unknown)
    may_begin = time_left.fits([One], time.monotonic() - 1)
    assert not may_begin(other)


def test_a_signal_stores_where_training_is_gives_the_cell_back_and_loses_nothing(
    sweep, tmp_path, monkeypatch
):
    from voxbench.fit.curve import LossCurve

    run_sweep(sweep, tmp_path / "whole", ALONE)
    told, add = [], LossCurve.add

    def at_step(curve, loss, step, terms):
        told.append(step)
        add(curve, loss, step, terms)
        if told == [1, 2]:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(LossCurve, "add", at_step)
    root, watch = tmp_path / "stopped", Notes()
    with pytest.raises(stopping.Stopped), stopping.on_signals():
        run_sweep(sweep, root, ALONE, watch)
    assert told == [1, 2]
    assert watch.outcomes == []
    assert len(list((root / "checkpoints").glob("*.ckpt"))) == 1
    assert list(claims.claimed(root)) == []
    assert not Store(root).files()
    run_sweep(sweep, root, ALONE)
    assert told == [1, 2, 3, 4, 1, 2, 3, 4]
    assert scores(root) == scores(tmp_path / "whole")


@pytest.mark.slow
def test_a_pilot_that_is_asked_to_stop_has_given_its_cell_back_within_ten_seconds(tmp_path):
    """The command with its worker processes: SIGTERM, exit code 75, and then the same scores."""
    spec = tmp_path / "s.toml"
    spec.write_text(
        'name = "s"\ntasks = ["cubes"]\nfractions = ["2 shots"]\nseeds = 2\n'
        '[[baselines]]\nname = "scratch"\nsize = "tiny"\n'
        '[recipe]\nsteps = 300\npatch = [16, 16, 16]\naugmentation = "none"\n'
    )

    def start(verb: str, root: Path) -> subprocess.Popen:
        words = [verb, str(spec), "-o", str(root), "-j", "2", "--include-path", str(EXAMPLE)]
        code = "from voxbench.cli import main; main()"
        return subprocess.Popen([sys.executable, "-c", code, *words])

    root = tmp_path / "stopped"
    pilot = start("work", root)
    until = time.monotonic() + 300
    while len(dict(claims.claimed(root))) < 2:
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(20)  # into the imports or the training
    asked = time.monotonic()
    pilot.send_signal(signal.SIGTERM)
    code = pilot.wait(60)
    assert time.monotonic() - asked < 10
    assert list(claims.claimed(root)) == []
    assert code == (75 if len(Store(root).files()) < 2 else 0)
    assert start("work", root).wait(600) == 0
    assert start("run", tmp_path / "whole").wait(600) == 0
    assert scores(root) == scores(tmp_path / "whole")
