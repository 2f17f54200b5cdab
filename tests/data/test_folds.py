"""Trials choose by no more labels than their fraction has."""

import pytest
from voxbench.api import Case
from voxbench.data.folds import FEWEST, FOLDS, folds_hash, folds_of
from voxbench.data.fraction import Subset


def cases(name, patients, each=1):
    return tuple(
        Case(f"{name}{i}-{j}", (), None, patient=f"{name}{i}")
        for i in range(patients)
        for j in range(each)
    )


def test_enough_validation_patients_judge_alone():
    subset = Subset(cases("t", 20), cases("v", FEWEST))
    assert folds_of(subset, 0) == (subset,)


def test_fewer_are_left_aside_and_every_training_patient_judges_once():
    subset = Subset(cases("t", 10, each=2), cases("v", FEWEST - 1))
    folds = folds_of(subset, 0)
    assert len(folds) == FOLDS
    judges = [case.id for fold in folds for case in fold.validation]
    assert sorted(judges) == [case.id for case in subset.train]
    for train, validation in folds:
        assert {*train, *validation} == {*subset.train}
        assert not {c.patient for c in train} & {c.patient for c in validation}


@pytest.mark.parametrize(("patients", "folds"), [(1, 1), (2, 2), (3, 3), (4, 3)])
def test_few_shots_have_few_folds(patients, folds):
    assert len(folds_of(Subset(cases("t", patients), cases("v", 1)), 0)) == folds


def test_the_hash_tells_other_cases_and_other_folds():
    subset = Subset(cases("t", 6), cases("v", 1))
    assert folds_hash(folds_of(subset, 0)) == folds_hash(folds_of(subset, 0))
    assert folds_hash(folds_of(subset, 0)) != folds_hash(folds_of(subset, 1))
