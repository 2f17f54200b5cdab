"""Folds of a task: every patient is tested on once, and never trained on in that fold."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from voxbench.api import Case
from voxbench.data.cross_validation import cross_validated
from voxbench.data.dataset import Dataset
from voxbench.data.mirroring import Mirroring
from voxbench.data.split import split_cases
from voxbench.design.fold import Fold
from voxbench.errors import DataError

from tests.data.toy import Toy, card


@dataclass(frozen=True, kw_only=True)
class Published(Toy):
    """A task with folds of its own."""

    own: dict[str, int] = field(default_factory=dict)

    def folds(self, of):
        return self.own if of == 2 else None


def scans(count, times=2, start=0):
    return [
        Case(id=f"{i:03}-{scan}", images=(Path(f"{i}-{scan}"),), label=Path("l"), patient=f"p{i}")
        for i in range(start, start + count)
        for scan in range(times)
    ]


def task(kind=Toy, **parts):
    own = {"own": parts.pop("own")} if "own" in parts else {}
    return kind(root=Path(), described=card(), parts=parts, **own)


def folded(made, of=5):
    base = Dataset(card(), split_cases(made), Mirroring({}, {}, ""), "i")
    return [cross_validated(made, base, Fold(number, of)) for number in range(of)]


def patients(cases):
    return {case.patient for case in cases}


def test_every_patient_is_tested_on_in_one_fold_and_not_trained_on_there():
    found = folded(task(all=scans(23)))
    tested = [patient for one in found for patient in patients(one.split.test)]
    assert sorted(tested) == sorted(patients(scans(23)))
    for one in found:
        train, validation, test = (patients(part) for part in one.split[:3])
        assert not (train & validation)
        assert not (train & test)
        assert not validation & test
        assert len(train | validation | test) == 23


def test_folds_differ_in_size_by_one_patient():
    assert {len(patients(one.split.test)) for one in folded(task(all=scans(23)))} == {4, 5}


def test_a_published_test_part_stays_aside():
    found = folded(task(train=scans(20), test=scans(5, start=20)))
    used = {case.patient for one in found for part in one.split[:3] for case in part}
    assert used == patients(scans(20))


def test_the_folds_share_an_identity_that_is_not_that_of_the_one_split():
    found = folded(task(all=scans(12)))
    assert len({one.identity for one in found}) == 1
    assert found[0].identity != "i"
    assert len({*found}) == 5


def test_other_folds_of_the_same_patients_have_another_identity():
    made = task(all=scans(12))
    assert folded(made, 5)[0].identity != folded(made, 4)[0].identity


def test_published_folds_are_taken_where_there_are_so_many():
    made = task(Published, all=scans(6, times=1), own={f"p{i}": i % 2 for i in range(6)})
    assert patients(folded(made, 2)[1].split.test) == {"p1", "p3", "p5"}
    assert "as published" in folded(made, 2)[0].notes[-1]
    assert "dealt out" in folded(made, 3)[0].notes[-1]


def test_published_folds_of_a_patient_who_is_not_there_are_refused():
    made = task(Published, all=scans(6), own={f"p{i}": i % 2 for i in range(7)})
    with pytest.raises(DataError, match="patients of its cases"):
        folded(made, 2)


def test_patients_whom_published_folds_leave_out_stay_aside():
    made = task(Published, all=scans(8), own={f"p{i}": i % 2 for i in range(6)})
    used = {case.patient for one in folded(made, 2) for part in one.split[:3] for case in part}
    assert used == patients(scans(6))


def test_too_few_patients_for_the_folds_are_refused():
    with pytest.raises(DataError, match="4 patients make no 5 folds"):
        folded(task(all=scans(4)))


def test_unlabelled_images_of_the_tested_are_not_given():
    spare = [
        Case(id=f"u{i}", images=(Path(f"u{i}"),), label=None, patient=f"p{i}") for i in range(9)
    ]
    for one in folded(task(all=scans(9), unlabelled=spare), 3):
        held_out = patients(one.split.test) | patients(one.split.validation)
        assert not patients(one.split.unlabelled) & held_out
