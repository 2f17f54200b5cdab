import math

import numpy as np
import pytest
from voxbench.analyses.effects import twins
from voxbench.analyses.groups import read_groups
from voxbench.stats.bootstrap import Sample, bootstrap
from voxbench.stats.metric import METRICS
from voxbench.stats.paired import verdict, wilcoxon
from voxbench.stats.power import Design, chance, extension, ladder, prospects
from voxbench.stats.variance import Components

from tests.analyses.records import MASKED, SCRATCH, cases, record

DICE = METRICS["dice"]
PARTS = Components(0.02**2, math.nan, 0.01**2, 0.03**2)


def drawn(rng, effect, design, parts=PARTS):
    patients, _, seeds = design
    patient, seed, rest = (math.sqrt(part) for part in (parts.patient, parts.seed, parts.rest))
    return (
        effect
        + rng.normal(0, patient, (patients, 1))
        + rng.normal(0, seed, seeds)
        + rng.normal(0, rest, (patients, seeds))
    )


@pytest.mark.parametrize(
    ("effect", "design", "margin"),
    [
        (0.02, Design(30, 1, 6), 0.01),
        (0.012, Design(40, 1, 10), 0.005),
        (0.0, Design(60, 1, 12), 0.015),
    ],
)
def test_the_chance_is_how_often_simulated_records_get_that_verdict(effect, design, margin):
    rng = np.random.default_rng(0)
    word, expected = chance(effect, PARTS, design, margin)
    assert 0.4 < expected < 0.97
    hits, repeats = 0, 150
    for _ in range(repeats):
        values = drawn(rng, effect, design)
        interval = bootstrap(Sample(values, (0,) * design.seeds), resamples=500)
        p = wilcoxon(values.mean(axis=1))
        hits += verdict(interval, p, design.patients, margin) in (word, "equivalent")
    assert hits / repeats == pytest.approx(expected, abs=0.1)


def test_more_of_anything_is_never_worse():
    for axis in Design._fields:
        base = Design(30, 6, 3)
        parts = PARTS._replace(draw=0.01**2)
        found = [chance(0.02, parts, base._replace(**{axis: n}), 0.01)[1] for n in (10, 20, 80)]
        assert found == sorted(found)
        assert found[-1] > found[0]


def test_patients_bound_what_seeds_can_tell():
    endless = Design(20, 1, 1e9)
    assert chance(0.005, PARTS, endless, 0.001)[1] < 0.5
    assert chance(0.005, PARTS, endless._replace(patients=2000), 0.001)[1] > 0.99


def test_too_few_patients_have_no_chance():
    assert chance(0.5, PARTS, Design(5, 1, 100), 0.01) == ("undecided", 0.0)


def test_ten_patients_do_not_reach_the_bar_of_a_large_family():
    design = Design(10, 1, 100)
    assert chance(0.5, PARTS, design, 0.01, rivals=20)[1] > 0.99
    assert chance(0.5, PARTS, design, 0.01, rivals=60)[1] == pytest.approx(0, abs=1e-6)


def test_the_direction_is_that_of_the_metric():
    assert chance(-2.0, PARTS, Design(30, 1, 5), 1.0, sign=-1)[0] == "better"


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
    told = found.effect.effect, found.parts
    assert chance(*told, there, 0.01)[1] >= 0.8
    assert chance(*told, there._replace(seeds=there.seeds - 1), 0.01)[1] < 0.8


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
    [rung] = ladder(found, [seeds])
    assert (rung.settled, rung.cells) == (2, 3 * (seeds - 3))
