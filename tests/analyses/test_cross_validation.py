"""Records of folds: one training in parts, paired within folds, told in the tables."""

import numpy as np
import pytest
from voxbench.analyses.effects import effects
from voxbench.analyses.groups import Run
from voxbench.analyses.pairing import twins
from voxbench.analyses.power.prospects import prospects
from voxbench.analyses.read import read_groups
from voxbench.errors import RecordError
from voxbench.records.case_scores import CaseScores
from voxbench.stats.metric import METRICS

from tests.analyses.records import MASKED, SCRATCH, record, scores

DICE = METRICS["dice"]
PATIENTS = 30


def fold(number, arm=SCRATCH, seed=0, gain=0.0, of=5, patients=PATIENTS, **options):
    """The record of a fold, whose patients are every fifth; its luck moves all of them."""
    rng = np.random.default_rng([number, seed, arm == MASKED])
    luck = rng.normal(0, 0.02)
    found = [
        CaseScores(
            case=f"{i:02}", patient=f"p{i:02}",
            classes={"a": scores(0.5 + 0.01 * i + gain + luck + rng.normal(0, 0.002))},
        )
        for i in range(number, patients, of)
    ]  # fmt: skip
    cell = {"recipe": {"steps": 300}, "fold": {"number": number, "of": of}}
    return record(found, arm, seed=seed, fold=number, cell=cell, **options)


def both(folds=range(5), gain=0.1, seeds=1):
    return [
        fold(number, arm, seed, extra)
        for arm, extra in ((SCRATCH, 0.0), (MASKED, gain))
        for seed in range(seeds)
        for number in folds
    ]


def test_the_folds_of_a_seed_are_one_run_of_all_patients():
    [group] = read_groups([fold(number) for number in range(5)])
    assert group.runs == (Run(0, 0),)
    assert len(group.patients) == PATIENTS
    assert len(group.keys) == 5
    assert {group.folds[f"p{i:02}"] for i in (3, 8, 13)} == {3}


def test_an_effect_is_paired_within_folds_and_covers_them():
    [found] = effects(twins(read_groups(both()), DICE), 0.01)
    assert (found.patients, found.runs, found.covers) == (PATIENTS, 1, "patients, folds")
    assert "5-fold cross-validation" in found.note
    by_fold = [
        np.mean([c.classes["a"].dice for c in fold(n, MASKED, gain=0.1).cases])
        - np.mean([c.classes["a"].dice for c in fold(n).cases])
        for n in range(5)
    ]
    assert found.effect.mean == pytest.approx(np.mean(by_fold))
    assert found.verdict == "better"


def test_arms_are_compared_on_the_folds_that_both_have():
    found = [*both(range(4)), fold(4)]
    [effect] = effects(twins(read_groups(found), DICE), 0.01)
    assert effect.patients == PATIENTS - len(range(4, PATIENTS, 5))


def test_different_folds_of_two_arms_are_never_paired():
    [effect] = effects(twins(read_groups([fold(0, MASKED, gain=0.1), fold(1)]), DICE), 0.01)
    assert (effect.patients, effect.verdict) == (0, "")
    assert np.isnan(effect.effect.mean)
    assert effect.note == "no patient with a score in both"


def test_folds_of_another_division_are_never_paired():
    ten = fold(0, MASKED, gain=0.1, of=10, fingerprint="e" * 64)
    [effect] = effects(twins(read_groups([ten, fold(0)]), DICE), 0.01)
    assert effect.note == f"no record of {effect.other}"


def test_a_run_that_lacks_folds_waits_and_is_told():
    [group] = read_groups([fold(n) for n in range(5)] + [fold(n, seed=1) for n in range(2)])
    assert group.runs == (Run(0, 0),)
    assert "1 run with other folds left out" in group.notes


def test_missing_folds_are_told():
    [group] = read_groups([fold(0), fold(2)])
    assert "of 5 folds only 0, 2" in group.notes


def test_a_failed_fold_is_counted():
    found = [fold(n) for n in range(4)] + [record(None, fold=4)]
    [group] = read_groups(found)
    assert [failed.run for failed in group.failed] == [Run(0, 0)]


def test_a_cross_validation_and_a_split_are_never_averaged():
    alone = record(fold(0).cases, fingerprint="e" * 64)
    assert len(read_groups([alone, *(fold(n) for n in range(5))])) == 2


def test_two_records_of_one_patient_in_a_run_are_refused():
    twice = fold(1).model_copy(update={"cases": fold(0).cases, "data": fold(0).data})
    with pytest.raises(RecordError, match="same training"):
        read_groups([fold(0), twice])


def test_seeds_of_a_fold_know_nothing_of_other_arms():
    [one] = effects(twins(read_groups(both(seeds=3)), DICE), 0.01)
    assert one.runs == 3
    assert one.covers == "patients, folds"


def test_power_is_not_planned_for_folds():
    pairs = twins(read_groups(both(gain=0.0)), DICE)
    assert prospects(pairs, 0.001) == []
