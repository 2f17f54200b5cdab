import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.data import split as room
from voxbench.data.split import SPLIT_PARTS, freeze_split, read_split, split_cases
from voxbench.errors import DataError

from tests.data.toy import Toy, card, named, toy


def patients(cases):
    return {case.patient for case in cases}


def many(count, scans=1):
    return [named(f"c{i}-{j}", f"p{i}") for i in range(count) for j in range(scans)]


def published(tmp_path, **parts):
    return Toy(root=tmp_path, described=card(), parts=parts)


@given(st.lists(st.integers(0, 30), min_size=3, max_size=80))
def test_a_patient_s_scans_stay_together_and_nobody_is_lost(owners):
    cases = [named(f"c{i:03}", f"p{owner}") for i, owner in enumerate(owners)]
    if len(set(owners)) < 3:
        with pytest.raises(DataError, match="at least three patients"):
            split_cases(toy(None, cases))
        return
    split = split_cases(toy(None, cases))
    assert sorted(case.id for part in SPLIT_PARTS for case in getattr(split, part)) == sorted(
        case.id for case in cases
    )
    parts = [patients(getattr(split, part)) for part in SPLIT_PARTS]
    assert all(parts)
    assert sum(map(len, parts)) == len(set(owners))


def test_shares_are_70_10_20_of_the_patients():
    split = split_cases(toy(None, many(100, scans=2)))
    assert [len(patients(getattr(split, part))) for part in SPLIT_PARTS] == [70, 10, 20]
    assert len(split.test) == 40


def test_the_split_depends_on_the_patients_names_alone(tmp_path):
    cases = many(30)
    there = [replace(case, images=(tmp_path / "x.nii",)) for case in reversed(cases)]
    assert split_cases(toy(tmp_path, there)).sha256 == split_cases(toy(None, cases)).sha256
    renamed = [replace(case, patient=f"q{case.patient}") for case in cases]
    assert split_cases(toy(None, renamed)).sha256 != split_cases(toy(None, cases)).sha256


def test_a_published_split_is_taken_as_it_is(tmp_path):
    cases = many(10)
    parts = {"train": cases[:5], "validation": cases[5:6], "test": cases[6:]}
    split = split_cases(published(tmp_path, **parts))
    assert [list(getattr(split, part)) for part in SPLIT_PARTS] == list(parts.values())


def test_a_published_test_set_gets_validation_from_the_training_patients(tmp_path):
    cases = many(24, scans=2)
    split = split_cases(published(tmp_path, train=cases[:32], test=cases[32:]))
    assert list(split.test) == sorted(cases[32:], key=lambda case: case.id)
    assert len(patients(split.validation)) == 2
    assert not patients(split.validation) & patients(split.train)


def test_a_patient_in_two_published_parts_is_refused(tmp_path):
    cases = many(3, scans=2)
    parts = {"train": cases[:3], "validation": cases[3:4], "test": cases[4:]}
    with pytest.raises(DataError, match="patient 'p1' lies in train and in validation"):
        split_cases(published(tmp_path, **parts))


def test_odd_parts_and_repeated_ids_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"gives \['train'\]"):
        split_cases(published(tmp_path, train=many(3)))
    with pytest.raises(DataError, match="two cases are called 'c0-0'"):
        split_cases(toy(tmp_path, [*many(4), named("c0-0", "p9")]))


def test_a_frozen_split_is_read_back_and_another_one_is_refused(tmp_path):
    cases = many(12)
    split = split_cases(toy(None, cases))
    path = tmp_path / "splits" / "toy.json"
    freeze_split(split, path)
    freeze_split(split, path)
    assert read_split(path, cases) == split._replace(drawn=False)
    other = split._replace(train=split.train[1:], test=(*split.test, split.train[0]))
    moved = room.make_split({part: getattr(other, part) for part in SPLIT_PARTS}, "other")
    with pytest.raises(DataError, match="another split"):
        freeze_split(moved, path)


def test_a_file_that_does_not_fit_the_data_says_how(tmp_path):
    cases = many(12)
    path = tmp_path / "toy.json"
    freeze_split(split_cases(toy(None, cases)), path)
    with pytest.raises(DataError, match="missing in the data c11-0; not in the split new"):
        read_split(path, [*cases[:-1], named("new")])
    regrouped = [replace(case, patient="one") if case.id == "c1-0" else case for case in cases]
    with pytest.raises(DataError, match="sha256 does not match"):
        read_split(path, regrouped)
    table = json.loads(path.read_text())
    path.write_text(json.dumps({**table, "test": "abc"}).replace('"test"', '"tset"'))
    with pytest.raises(DataError, match="not a split"):
        read_split(path, cases)


def test_a_file_beside_the_task_s_module_wins(tmp_path, monkeypatch):
    cases = many(12)
    task = published(tmp_path, train=cases[:6], validation=cases[6:8], test=cases[8:])
    expected = split_cases(toy(None, cases))
    freeze_split(expected, tmp_path / "splits" / "toy.json")
    monkeypatch.setattr(room.inspect, "getfile", lambda _kind: str(tmp_path / "module.py"))
    assert split_cases(task) == expected._replace(drawn=False)
