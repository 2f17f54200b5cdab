import math

import numpy as np
import pytest
from voxbench.stats.bootstrap import Sample, bootstrap
from voxbench.stats.paired import effect_verdict
from voxbench.stats.power import Design, verdict_chance
from voxbench.stats.variance import Components

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
    word, expected = verdict_chance(effect, PARTS, design, margin)
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
            verdict_chance(0.02, parts, base._replace(**{axis: n}), 0.01)[1] for n in (10, 20, 80)
        ]
        assert found == sorted(found)
        assert found[-1] > found[0]


def test_patients_bound_what_seeds_can_tell():
    endless = Design(20, 1, 1e9)
    assert verdict_chance(0.005, PARTS, endless, 0.001)[1] < 0.5
    assert verdict_chance(0.005, PARTS, endless._replace(patients=2000), 0.001)[1] > 0.99


def test_too_few_patients_have_no_chance():
    assert verdict_chance(0.5, PARTS, Design(5, 1, 100), 0.01) == ("undecided", 0.0)


def test_a_large_family_takes_more_seeds():
    chances = [
        verdict_chance(0.02, PARTS, Design(30, 1, 6), 0.001, family)[1] for family in (1, 5, 60)
    ]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 2 * chances[-1]


def test_the_direction_is_that_of_the_metric():
    assert verdict_chance(-2.0, PARTS, Design(30, 1, 5), 1.0, sign=-1)[0] == "better"
