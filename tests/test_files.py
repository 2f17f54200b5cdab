"""A file is there whole or not at all, and what a killed writer left is removed."""

import os
import subprocess
import sys
import time

import pytest
from voxbench.files import remove_leavings, temporary_beside, write_atomically

ENDED = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True)


def test_a_write_that_fails_leaves_the_old_file_alone_and_names_it(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_atomically(path, "old")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(path, "new")
    assert caught.value.filename == str(path)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("a.json", "old")]


def test_a_name_as_long_as_a_file_system_takes_can_be_written(tmp_path):
    path = tmp_path / ("x" * 255)
    write_atomically(path, "all")
    assert path.read_text() == "all"


def test_what_a_process_that_has_ended_left_is_removed_and_what_one_writes_is_not(tmp_path):
    mine = temporary_beside(tmp_path / "a")
    machine, process, rest = mine.name[1:].split("-")
    theirs = tmp_path / f".{machine}-{int(ENDED.stdout)}-{rest}"
    folder = tmp_path / f".{machine}-{int(ENDED.stdout)}-00000000.tmp"
    other = tmp_path / f".{'0' * 8}-{process}-{rest}"
    old = tmp_path / f".{'1' * 8}-{process}-{rest}"
    strange = tmp_path / ".mine.tmp"
    for path in (mine, theirs, other, old, strange):
        path.write_text("half")
    (folder / "deep").mkdir(parents=True)
    os.utime(old, (time.time() - 25 * 3600,) * 2)
    remove_leavings(tmp_path)
    assert set(tmp_path.iterdir()) == {mine, other, strange}
