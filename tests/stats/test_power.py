import math

import numpy as np
import pytest
from voxbench.stats.bootstrap import Sample, bootstrap
from voxbench.stats.paired import effect_verdict
from voxbench.stats.power import Design, Plausible, plausible, verdict_chance
from voxbench.stats.variance import Components

PARTS = Components(0.02**2, math.nan, 0.01**2, 0.03**2)


def known(parts=PARTS, count=400):
    """As if the split of the variance were known."""
    return Plausible(*(np.full(count, 0.0 if math.isnan(p) else p) for p in parts[:4]))


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
    word, expected = verdict_chance(effect, known(), design, margin)
    assert 0.4 < expected < 0.97
    hits, repeats = 0, 150
    for _ in range(repeats):
        values = drawn(rng, effect, design)
        interval = bootstrap(Sample(values, (0,) * design.seeds), resamples=500)
        hits += effect_verdict(interval, design.patients, margin) in (word, "equivalent")
    assert hits / repeats == pytest.approx(expected, abs=0.1)


def test_more_of_anything_is_never_worse():
    for axis in Design._fields:
        base = Design(30, 6, 3)
        parts = PARTS._replace(draw=0.01**2)
        found = [
            verdict_chance(0.02, known(parts), base._replace(**{axis: n}), 0.01)[1]
            for n in (10, 20, 80)
        ]
        assert found == sorted(found)
        assert found[-1] > found[0]


def test_patients_bound_what_seeds_can_tell():
    endless = Design(20, 1, 1e9)
    assert verdict_chance(0.005, known(), endless, 0.001)[1] < 0.5
    assert verdict_chance(0.005, known(), endless._replace(patients=2000), 0.001)[1] > 0.99


def test_too_few_patients_have_no_chance():
    assert verdict_chance(0.5, known(), Design(5, 1, 100), 0.01) == ("undecided", 0.0)


def test_a_large_family_takes_more_seeds():
    chances = [
        verdict_chance(0.02, known(), Design(30, 1, 6), 0.001, family)[1] for family in (1, 5, 60)
    ]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 2 * chances[-1]


def test_the_direction_is_that_of_the_metric():
    assert verdict_chance(-2.0, known(), Design(30, 1, 5), 1.0, sign=-1)[0] == "better"


def test_few_runs_allow_many_splits_and_many_runs_one():
    few, many = (plausible(PARTS, Design(30, 1, seeds), 4000) for seeds in (3, 2000))
    spread_few, spread_many = (np.quantile(p.seed, (0.1, 0.9)) for p in (few, many))
    assert spread_few[1] > 5 * PARTS.seed
    assert spread_many == pytest.approx([PARTS.seed] * 2, rel=0.1)
    assert np.median(few.rest) == pytest.approx(PARTS.rest, rel=0.1)


def test_a_split_that_is_not_known_asks_for_more():
    there = Design(30, 1, 3)
    for seeds in (8, 15):
        design = there._replace(seeds=seeds)
        sure = verdict_chance(0.02, known(), design, 0.001)[1]
        assert verdict_chance(0.02, plausible(PARTS, there), design, 0.001)[1] < sure
