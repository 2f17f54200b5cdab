import pytest
from voxbench.analyses.cost import frontier
from voxbench.analyses.read import read_groups
from voxbench.records.provenance import Imported
from voxbench.stats.metric import METRICS

from tests.analyses.records import MASKED, SCRATCH, WEIGHTS, cases, record


def offers(arm=0.6, twin=0.5, pretraining=4.0, metric="dice"):
    weights = WEIGHTS.model_copy(update={"cpu_hours": pretraining})
    records = [record(cases(lambda i, c: twin), SCRATCH, seed=seed) for seed in range(4)]
    records += [
        record(cases(lambda i, c: arm), MASKED, seed=seed, weights=weights) for seed in range(4)
    ]
    return {offer.arm: offer for offer in frontier(read_groups(records), METRICS[metric])}


def test_hours_are_of_one_fine_tuning():
    found = offers()[MASKED]
    assert found.cpu_hours == pytest.approx(0.01)
    assert (found.pretraining_cpu_hours, found.uses) == (4.0, 4)


def test_a_better_arm_and_a_cheaper_twin_are_both_on_the_frontier():
    found = offers()
    assert [found[MASKED].free, found[MASKED].amortised, found[MASKED].whole] == [True] * 3
    assert not found[SCRATCH].free  # the arm is better for the same hours
    assert found[SCRATCH].amortised
    assert found[SCRATCH].whole


def test_an_arm_that_is_worse_and_dearer_is_on_none():
    found = offers(arm=0.4)
    assert [found[MASKED].free, found[MASKED].amortised, found[MASKED].whole] == [False] * 3
    assert found[SCRATCH].free


def test_a_shorter_distance_is_better():
    assert not offers(metric="hd95_mm")[SCRATCH].free


def test_equal_arms_stay_both():
    found = offers(arm=0.5, pretraining=0.0)
    assert found[MASKED].whole
    assert found[SCRATCH].whole


def test_imported_scores_are_no_offer_for_nobody_told_their_cost():
    own = record(cases(lambda i, c: 0.5), SCRATCH)
    imported = record(cases(lambda i, c: 0.9), "theirs", key="theirs")
    imported.arm.twin = None
    imported.imported = Imported(layout="wide", source="someone", files={})
    [found] = frontier(read_groups([own, imported]), METRICS["dice"])
    assert (found.arm, found.free) == (SCRATCH, True)
