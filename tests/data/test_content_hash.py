import os
import shutil
import sqlite3
from dataclasses import replace

import pytest
from voxbench.data import content_hash
from voxbench.data.content_hash import cases_hash, file_hashes
from voxbench.errors import DataError
from voxbench.paths import cache_dir

from tests.data.toy import save, volumes, write_case


def moved(case, folder):
    folder.mkdir()
    place = lambda path: shutil.copy(path, folder / f"renamed-{path.name}")  # noqa: E731
    return replace(case, images=tuple(map(place, case.images)), label=place(case.label))


def test_neither_paths_nor_the_order_of_cases_matter(tmp_path):
    cases = [write_case(tmp_path, name) for name in "ab"]
    copies = [moved(case, tmp_path / case.id) for case in reversed(cases)]
    assert cases_hash(copies) == cases_hash(cases)


def test_all_that_a_case_says_matters(tmp_path):
    case = write_case(tmp_path, "a")
    other = save(tmp_path / "other.nii.gz", volumes(seed=99)[0])
    masks = {"ball": case.label, "box": other}
    changed = [
        replace(case, id="b"),
        replace(case, patient="somebody"),
        replace(case, labelled=frozenset({"ball"})),
        replace(case, images=(other,)),
        replace(case, images=(*case.images, other)),
        replace(case, images=(case.label,), label=case.images[0]),
        replace(case, label=masks),
        replace(case, label={"box": case.label, "ball": other}),
    ]
    assert len({cases_hash([one]) for one in [case, *changed]}) == 1 + len(changed)


def test_a_changed_file_is_noticed_and_an_untouched_one_is_read_once(tmp_path, monkeypatch):
    case = write_case(tmp_path, "a")
    before = cases_hash([case])
    save(case.label, volumes(shape=(20, 24, 18))[1])
    after = cases_hash([case])
    assert after != before
    monkeypatch.setattr(content_hash, "hex_digest", lambda _path: pytest.fail("read again"))
    assert cases_hash([case]) == after


def test_a_file_that_another_of_equal_size_and_date_replaces_is_noticed(tmp_path):
    path = tmp_path / "a.nii"
    found = []
    for content in (b"first", b"other"):
        path.write_bytes(content)
        os.utime(path, (1, 1))  # as reproducible archives and stores set it
        found.append(file_hashes([path])[path])
    replaced = tmp_path / "b.nii"
    replaced.write_bytes(b"third")
    os.utime(replaced, (1, 1))
    replaced.replace(path)
    assert len({*found, file_hashes([path])[path]}) == 3


def test_a_missing_file_is_named(tmp_path):
    case = replace(write_case(tmp_path, "a"), label=tmp_path / "nowhere.nii.gz")
    with pytest.raises(DataError, match=r"nowhere\.nii\.gz: no such file \(case 'a'\)"):
        cases_hash([case])


def test_a_damaged_or_locked_memory_costs_time_but_not_the_answer(tmp_path, monkeypatch):
    case = write_case(tmp_path, "a")
    expected = file_hashes(case.files)
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    cache_dir().mkdir()
    (cache_dir() / "hashes.sqlite").write_bytes(b"not a database, but long enough to look at" * 9)
    assert file_hashes(case.files) == expected

    def locked(*_args, **_keywords):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(sqlite3, "connect", locked)
    assert file_hashes(case.files) == expected
