import multiprocessing
import os
import pickle
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from voxbench.data import cache
from voxbench.data.prepare import prepare_cases
from voxbench.design.preprocessing import Preprocessing

from tests.data.toy import toy, write_case

RULE = Preprocessing(spacing_mm=(1.5, 1.5, 1.5))

# these children touch neither torch nor a thread of the parent
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path


def snapshot(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_four_processes_that_prepare_the_same_cases_agree(empty, monkeypatch):
    cases = [write_case(empty, name) for name in "abcdef"]
    task = toy(empty, cases)
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(4)

    def child():
        start.wait()
        prepare_cases(task.card, cases, RULE)

    children = [fork.Process(target=child) for _ in range(4)]
    for process in children:
        process.start()
    for process in children:
        process.join()
    assert [process.exitcode for process in children] == [0, 0, 0, 0]
    together = snapshot(cache.prepared_folder())
    monkeypatch.setenv("VOXBENCH_CACHE", str(empty / "alone"))
    prepare_cases(task.card, cases, RULE)
    assert together == snapshot(cache.prepared_folder())


@pytest.mark.parametrize("moment", [0, 1, 2, 3])
def test_a_killed_process_leaves_no_half_case(empty, monkeypatch, moment):
    cases = [write_case(empty, name) for name in "ab"]
    task = toy(empty, cases)

    def child():
        prepare_cases(task.card, cases[:1], RULE)
        left = iter(range(moment + 1))
        sync = os.fsync

        def deadly(handle):
            if next(left) == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            sync(handle)

        os.fsync = deadly
        prepare_cases(task.card, cases, RULE)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    whole = [path for path in cache.prepared_folder().iterdir() if not path.name.startswith(".")]
    assert len(whole) == 1
    assert len(list(cache.prepared_folder().glob(".half-*"))) == 1
    found = prepare_cases(task.card, cases, RULE)
    assert all(case.image.shape[1:] == case.label.shape for case in found.values())


def test_leavings_are_removed_after_a_day_and_not_before(empty):
    for name, age_h in [(".half-old", 25), (".half-new", 1)]:
        (cache.prepared_folder() / name).mkdir(parents=True)
        past = time.time() - age_h * 3600
        os.utime(cache.prepared_folder() / name, (past, past))
    cache.remove_unfinished()
    assert [path.name for path in cache.prepared_folder().iterdir()] == [".half-new"]


def test_a_prepared_case_travels_as_a_path(empty):
    case = write_case(empty, "a")
    prepared = prepare_cases(toy(empty, [case]).card, [case], RULE)["a"]
    assert prepared.image.size
    sent = pickle.dumps(prepared)
    assert len(sent) < 1000
    assert np.array_equal(pickle.loads(sent).image, prepared.image)


def test_arrays_can_t_be_written_to_by_mistake(empty):
    case = write_case(empty, "a")
    prepared = prepare_cases(toy(empty, [case]).card, [case], RULE)["a"]
    with pytest.raises(ValueError, match="read-only"):
        prepared.image[0, 0, 0, 0] = 1


def test_a_large_class_keeps_a_fixed_random_sample_of_its_voxels(empty, monkeypatch):
    monkeypatch.setattr(cache, "FOREGROUND_SAMPLES", 100)
    case = write_case(empty, "a")
    prepared = prepare_cases(toy(empty, [case]).card, [case], RULE)["a"]
    positions = prepared.foreground["ball"]
    assert len(positions) == 100
    assert set(prepared.label.reshape(-1)[positions]) == {1}
    assert np.all(np.diff(positions) > 0)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_many_mapped_cases_keep_few_files_open(empty, monkeypatch):
    """A limit of files is a machine's; the arrays of every case can be read all the same."""
    (case,) = cases = [write_case(empty, "a")]
    prepared = prepare_cases(toy(empty, cases).card, cases, Preprocessing(crop="none"))["a"]
    before = open_files()
    held = []
    for number in range(400):
        copied = empty / f"copy{number}"
        copied.mkdir()
        for name in ("image.npy", "label.npy"):
            os.link(prepared.path / name, copied / name)
        one = cache.PreparedCase(case.id, case.patient, copied)
        assert one.image.shape[1:] == one.label.shape
        held.append(one)
    assert len(held) == 400
    assert open_files() - before <= 256
