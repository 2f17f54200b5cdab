"""What longer trainings say of shorter ones of the same arm."""

import numpy as np
import pytest
from voxbench.analyses.effects import effects
from voxbench.analyses.means import means
from voxbench.analyses.pairing import twins
from voxbench.analyses.ranks.rank import rank_folder
from voxbench.analyses.read import read_groups
from voxbench.stats.metric import METRICS

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored

LEVEL = dict.fromkeys(range(50, 550, 50), 0.8)


def runs(arm, steps, dice, seeds=(0, 1), rate=0.01, **options):
    """Trainings with a level curve, which have converged by their own account."""
    noise = np.random.default_rng(0).normal(0, 0.004, 20)
    cell = {"recipe": {"steps": steps, "learning_rate": rate}, **options.pop("cell", {})}
    told = {"validation": LEVEL, "validation_of": "windows", "cell": cell, **options}
    return [
        record(
            cases(lambda i, _: dice + noise[i], 20), arm, seed=seed,
            key=f"{arm[:7]}-{steps}-{seed}-{len(repr(told))}", **told,
        )
        for seed in seeds
    ]  # fmt: skip


def found(*records, arm=SCRATCH):
    """Steps → word and reason of an arm."""
    groups = read_groups([one for own in records for one in own])
    return {group.course.steps: group.convergence for group in groups if group.label == arm}


def test_a_training_that_more_steps_beat_has_not_converged_whatever_its_curve_says():
    known = found(runs(SCRATCH, 500, 0.60), runs(SCRATCH, 1500, 0.68), runs(SCRATCH, 5000, 0.70))
    assert known[500] == ("no", "5000 steps reach 0.10 Dice more")
    assert known[1500].word == known[5000].word == "yes"


def test_a_reason_of_its_own_stays():
    unseen = runs(SCRATCH, 500, 0.60)
    for one in unseen:
        for case in one.cases:
            case.classes["a"].volume_mm3_prediction = 0.0
    told = found(unseen, runs(SCRATCH, 1500, 0.68))[500].reason
    assert told == "a is never predicted in 2 of 2 runs; 1500 steps reach 0.08 Dice more"


def test_only_draws_and_seeds_that_both_have_are_compared():
    """Seed 0 gains nothing; seed 1, which the longer one lacks, is far behind."""
    short = runs(SCRATCH, 500, 0.68, seeds=(0,)) + runs(SCRATCH, 500, 0.1, seeds=(1,))
    assert found(short, runs(SCRATCH, 1500, 0.68, seeds=(0,)))[500].word == "yes"
    assert found(short, runs(SCRATCH, 1500, 0.99, seeds=(2,)))[500].word == "yes"


@pytest.mark.parametrize(
    "other",
    [
        {"rate": 0.5},
        {"fraction": "10 shots"},
        {"task": "elsewhere"},
        {"fingerprint": "e" * 64},
        {"adaptation": "frozen"},
        {"cell": {"pretraining": {"steps": 9}}},
    ],
)
def test_what_differs_in_more_than_its_steps_says_nothing(other):
    assert found(runs(SCRATCH, 500, 0.60), runs(SCRATCH, 1500, 0.9, **other))[500].word == "yes"


def test_what_trains_nothing_has_nothing_to_converge():
    direct = [runs(MASKED, steps, 0.6 + steps / 1e4, adaptation="direct") for steps in (500, 1500)]
    assert {told.word for told in found(*direct, arm=MASKED).values()} == {""}


def test_tables_verdicts_and_ranks_know_it(tmp_path):
    records = [
        *runs(SCRATCH, 500, 0.60), *runs(MASKED, 500, 0.72),
        *runs(SCRATCH, 1500, 0.72), *runs(MASKED, 1500, 0.72),
    ]  # fmt: skip
    groups = read_groups(records)
    short = {g.where.setting for g in groups if g.course.steps == 500}
    [mean] = [m for m in means(groups) if m.where.setting in short and m.arm == SCRATCH]
    assert (mean.converged, mean.note) == ("no", "not converged: 1500 steps reach 0.12 Dice more")
    [effect] = [
        e for e in effects(twins(groups, METRICS["dice"]), 0.01) if e.where.setting in short
    ]
    assert (effect.verdict, effect.other_converged) == ("head start", "no")
    stored(tmp_path, *records)
    told = [row["note"] for own in rank_folder(tmp_path).made for row in own.tables[0].rows]
    assert any("1500 steps reach 0.12 Dice more" in note for note in told)
