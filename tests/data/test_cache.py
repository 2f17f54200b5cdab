import multiprocessing
import os
import pickle
import signal
from pathlib import Path

import numpy as np
import pytest
from voxbench.data import cache, content_hash, prepare
from voxbench.data.prepare import prepare_cases
from voxbench.design.preprocessing import Preprocessing
from voxbench.errors import DataError
from voxbench.progress import heard_by

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
    assert len(list(cache.prepared_folder().glob(".*.tmp"))) == 1
    found = prepare_cases(task.card, cases, RULE)
    assert all(case.image.shape[1:] == case.label.shape for case in found.values())


def changed(path: Path) -> None:
    """One byte of the last array element, under the old size and date."""
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", ["image.npy", "label.npy", "foreground.npy", "case.json"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda path: os.truncate(path, 100),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        changed,
    ],
    ids=["truncated", "empty", "gone", "changed"],
)
def test_a_damaged_copy_is_told_and_made_again(empty, damage, name):
    cases = [write_case(empty, "a")]
    card = toy(empty, cases).card
    path = prepare_cases(card, cases, RULE)["a"].path
    whole, told = snapshot(path), []
    damage(path / name)
    with heard_by(told.append):
        found = prepare_cases(card, cases, RULE)["a"]
    assert snapshot(path) == whole
    assert [said for said in told if isinstance(said, str)] == [
        f"the prepared case {path / name} is damaged and is made again"
    ]
    assert found.image.shape[1:] == found.label.shape
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_sound_copy_is_neither_read_nor_made_again(empty, monkeypatch):
    cases = [write_case(empty, name) for name in "ab"]
    card = toy(empty, cases).card
    for _ in range(2):  # the second time the copies are read, and their hashes remembered
        prepare_cases(card, cases, RULE)
    monkeypatch.setattr(content_hash, "hex_digest", lambda _path: pytest.fail("read again"))
    assert set(prepare_cases(card, cases, RULE)) == {"a", "b"}


def test_a_colleague_can_read_what_the_umask_lets_them(empty):
    before = os.umask(0o027)
    try:
        case = write_case(empty, "a")
        path = prepare_cases(toy(empty, [case]).card, [case], RULE)["a"].path
    finally:
        os.umask(before)
    modes = {each.name: each.stat().st_mode & 0o777 for each in (path, *path.iterdir())}
    assert modes.pop(path.name) == 0o750
    assert set(modes.values()) == {0o640}


def test_a_file_that_is_replaced_while_it_is_read_is_not_kept_under_its_old_name(
    empty, monkeypatch
):
    case = write_case(empty, "a")
    read = prepare.CaseReader.read

    def slow(reader):
        found = read(reader)
        case.label.write_bytes(case.label.read_bytes() + b"more")
        return found

    monkeypatch.setattr(prepare.CaseReader, "read", slow)
    with pytest.raises(DataError, match="replaced while it was read"):
        prepare_cases(toy(empty, [case]).card, [case], RULE)
    assert not list(cache.prepared_folder().glob("*"))


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
