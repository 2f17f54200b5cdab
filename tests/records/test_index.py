"""The index of a folder says what its records say, whatever happens to either."""

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voxbench.records import Store, index
from voxbench.records import glance as glance_module

from tests.records.test_store import record

KEYS = [f"aa{i:018x}" for i in range(index._WORTH)]
OLD = 1_000_000_000.0


@pytest.fixture
def store(tmp_path) -> Store:
    """A folder with as many records as are worth an index, written long ago."""
    store = Store(tmp_path)
    for key in KEYS:
        store.write(record(key))
    settle(store)
    return store


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """The records that were read at a glance since."""
    names: list[str] = []

    def glance(path):
        names.append(Path(path).stem)
        return glance_module.glance(path)

    monkeypatch.setattr(index, "glance", glance)
    return names


def settle(store: Store) -> None:
    for folder in store.folders():
        os.utime(folder, (OLD, OLD))


def said(store: Store) -> list:
    return list(store.glances())


def truth(store: Store) -> list:
    return [glance_module.glance(str(path)) for path in store.files()]


def test_records_are_read_once(store, read):
    first = said(store)
    assert read == KEYS
    assert said(Store(store.root)) == first == truth(store)
    assert read == KEYS


def test_a_new_record_alone_is_read(store, read):
    said(store)
    store.write(record("aab"))
    read.clear()
    assert "aab" in {one.key for one in said(store)}
    assert read == ["aab"]


def test_a_record_that_is_made_anew_or_taken_away_is_seen(store):
    said(store)
    store.write(record(KEYS[0], status="failed", failure="out of luck"))
    store.path(KEYS[1]).unlink()
    found = {one.key: one for one in said(store)}
    assert found[KEYS[0]].failure == "out of luck"
    assert KEYS[1] not in found


def test_a_folder_that_has_just_changed_is_looked_at_again_and_its_records_are_not(store, read):
    """A second record may come within the tick of the clock that the first one's date has."""
    folder = store.path(KEYS[0]).parent
    store.write(record("aab"))
    date = folder.stat().st_mtime_ns
    said(store)
    read.clear()
    store.write(record("aac"))
    os.utime(folder, ns=(date, date))
    assert "aac" in {one.key for one in said(store)}
    assert read == ["aac"]


@pytest.mark.parametrize("text", ["", "[1,", "{}", "[9, 1, 1]", "[1, 2]", '[1, 0, 0, ["a", 3]]'])
def test_an_index_that_is_torn_or_of_another_version_is_made_again(store, text):
    before = said(store)
    [kept] = (store.root / "index").iterdir()
    kept.write_text(text)
    assert said(store) == before
    assert json.loads(kept.read_text())[0] == 1
    shutil.rmtree(kept.parent)
    assert said(store) == before


def test_an_index_of_another_folder_of_that_name_is_not_taken(store, tmp_path):
    said(store)
    other = Store(tmp_path / "other")
    for key in KEYS[1:]:
        other.write(record(key, smoke=True))
    other.write(record("aab"))
    shutil.copytree(store.root / "index", other.root / "index")
    settle(other)
    assert said(other) == truth(other)


def test_where_nothing_can_be_written_the_records_are_read(store, monkeypatch, read):
    def refuse(*_given):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(index, "write_atomically", refuse)
    assert said(store) == said(store) == truth(store)
    assert read == 2 * KEYS


def test_a_few_records_leave_no_index(tmp_path):
    store = Store(tmp_path)
    store.write(record("aab"))
    said(store)
    assert not (tmp_path / "index").exists()


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["ok", "failed", "gone", "look"]))))
def test_whatever_is_written_and_removed_the_index_says_what_the_records_say(
    tmp_path_factory, steps
):
    store = Store(tmp_path_factory.mktemp("index"))
    for key in KEYS:
        store.write(record(key))
    for number, what in steps:
        key = f"aa{number:018x}"
        if what == "gone":
            store.path(key).unlink(missing_ok=True)
        elif what == "look":
            said(store)
        else:
            store.write(record(key, status=what, failure="no" if what == "failed" else None))
    assert said(store) == truth(store)


def test_writers_and_readers_at_once_leave_a_true_index(store):
    def work(number):
        for key in KEYS[number::4]:
            store.write(record(key, smoke=True))
            said(Store(store.root))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert said(store) == truth(store)
    assert all(one.smoke for one in said(store))
