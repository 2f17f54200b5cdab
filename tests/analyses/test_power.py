import numpy as np
import pytest
from voxbench.analyses.pairing import twins
from voxbench.analyses.power.prospects import extension, prospects, seed_budgets
from voxbench.analyses.read import read_groups
from voxbench.stats.metric import METRICS
from voxbench.stats.power import Design, verdict_chance

from tests.analyses.records import MASKED, SCRATCH, cases, record

DICE = METRICS["dice"]


def noisy(gain=0.02, seeds=(0, 1, 2), draws=(0,), luck=0.015, patients=30, **options):
    """Records of an arm and its twin that differ by a gain and each seed's luck."""
    rng = np.random.default_rng(1)
    found = []
    for arm, extra in ((SCRATCH, 0.0), (MASKED, gain)):
        for draw in draws:
            for seed in seeds:
                scores = 0.5 + extra + rng.normal(0, luck) + rng.normal(0, 0.03, patients)
                taken = cases(lambda i, _, scores=scores: float(scores[i]), patients)
                found.append(record(taken, arm, seed=seed, draw=draw, **options))
    return found


def planned(records, margin=0.01):
    return prospects(twins(read_groups(records), DICE), margin)


def test_the_cost_counts_the_missing_cells_of_arm_and_twin():
    [found] = planned(noisy())
    assert found.effect.verdict == "undecided"
    more = len(found.seeds.values) - 3
    assert found.seeds.values == tuple(range(3 + more))
    assert found.seeds.cells == 2 * more
    assert found.seeds.cpu_hours == pytest.approx(2 * more * 0.01)


def test_with_the_planned_seeds_the_chance_is_reached_and_with_one_less_it_is_not():
    [found] = planned(noisy())
    there = Design(30, 1, len(found.seeds.values))
    told = found.effect.effect.mean, found.plausible
    assert verdict_chance(*told, there, 0.01)[1] >= 0.8
    assert verdict_chance(*told, there._replace(seeds=there.seeds - 1), 0.01)[1] < 0.8


def test_runs_of_the_twin_that_are_there_cost_nothing():
    records = noisy(seeds=range(6))
    kept = [one for one in records if one.arm.baseline == SCRATCH or one.arm.seed < 3]
    [pair] = twins(read_groups(kept), DICE)
    assert extension(pair, seeds=6).cells == 3


def test_seeds_that_are_not_counted_from_zero_are_kept():
    [pair] = twins(read_groups(noisy(seeds=(1, 7))), DICE)
    assert extension(pair, seeds=4).values == (0, 1, 2, 7)


def test_draws_are_planned_only_where_they_differ():
    [one] = planned(noisy())
    assert one.draws is None
    [found] = planned(noisy(seeds=(0, 1), draws=(0, 1)))
    assert found.draws is not None
    assert len({run.seed for run in found.draws.runs}) == 2


def test_one_training_plans_nothing():
    [found] = planned(noisy(seeds=(0,), patients=6))
    assert (found.seeds, found.draws, found.patients) == (None, None, None)


def test_a_decided_comparison_needs_no_plan():
    assert planned(noisy(gain=0.0, luck=0.0001), margin=0.5) == []


def test_a_shared_twin_is_counted_once():
    other = MASKED.replace("28", "8")
    records = noisy()
    twice = records + [
        one.model_copy(
            update={"key": one.key + "b", "arm": one.arm.model_copy(update={"baseline": other})}
        )
        for one in records
        if one.arm.baseline == MASKED
    ]
    found = planned(twice)
    assert len(found) == 2
    seeds = max(len(one.seeds.values) for one in found)
    [budget] = seed_budgets(found, [seeds])
    assert (budget.settled, budget.cells) == (2, 3 * (seeds - 3))
