"""After a race the report gives the race's verdicts, not tests on data chosen by stopping."""

import numpy as np
import pytest
from voxbench.analyses.races.declaration import Comparison, Pairing, Race
from voxbench.analyses.races.results import describe_race, race_warning
from voxbench.errors import RecordError
from voxbench.reporting.report import write_report
from voxbench.stats.sequential import error_shares

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored

RUNS = 5


def raced(root, gain=0.1, luck=0.0, runs=3, failing=(), **changes):
    """A folder with the declaration of a race and the records that it has so far."""
    rng = np.random.default_rng(0)
    for arm, extra in ((SCRATCH, 0.0), (MASKED, gain)):
        for seed in range(runs):
            scores = 0.4 + extra + rng.normal(0, luck) + rng.normal(0, 0.01, 15)
            found = cases(lambda i, _, scores=scores: float(scores[i]), 15)
            failed = arm == SCRATCH and seed in failing
            stored(root, record(None if failed else found, arm, seed=seed))
    race = Race(
        sweep="test",
        metric="dice",
        margin=0.01,
        alpha=0.05,
        shares=error_shares(RUNS),
        comparisons=[
            Comparison(
                task="openkbp", adaptation="full", fraction="3 shots", arm=MASKED, twin=SCRATCH,
                runs=[
                    Pairing(draw=0, seed=seed, arm=key(MASKED, seed), twin=key(SCRATCH, seed))
                    for seed in range(RUNS)
                ],
            )
        ],
    ).model_copy(update=changes)  # fmt: skip
    race.declare(root)
    return race


def key(arm, seed):
    return record(None, arm, seed=seed).key


def ended(race, root, missing):
    return list(describe_race(race, root, missing))


def effect_of(root, **options):
    [effect] = write_report(root, root / "report", **options).effects
    return effect


def test_a_settled_comparison_names_its_interim_analysis(tmp_path):
    raced(tmp_path, gain=0.3, runs=4)
    effect = effect_of(tmp_path)
    assert effect.verdict == "better"
    assert effect.note.startswith("settled by racing after 2 of 5 trainings, with 40.0% of")
    assert effect.note in (tmp_path / "report" / "report.md").read_text()


def test_what_the_ordinary_test_would_call_stays_open_in_a_race(tmp_path):
    raced(tmp_path, gain=0.02, luck=0.004, runs=3)
    inside = effect_of(tmp_path)
    (tmp_path / "races" / "test.json").unlink()
    ordinary = effect_of(tmp_path)
    assert (inside.verdict, ordinary.verdict) == ("undecided", "better")
    assert inside.note.startswith("race: undecided after 3 of 5 trainings")
    assert inside.effect.high - inside.effect.low > ordinary.effect.high - ordinary.effect.low
    assert inside.p > ordinary.p


def test_trainings_after_the_interim_analysis_that_settled_it_change_nothing(tmp_path):
    raced(tmp_path, gain=0.3, runs=4)
    before = effect_of(tmp_path)
    raced(tmp_path, gain=0.3, runs=5)
    after = effect_of(tmp_path)
    assert (after.verdict, after.note) == (before.verdict, before.note)


def test_another_metric_or_margin_keeps_its_verdict_with_a_warning(tmp_path):
    raced(tmp_path, gain=0.3, runs=4)
    for options in ({"metric": "nsd"}, {"margin": 0.02}):
        effect = effect_of(tmp_path, **options)
        assert effect.verdict == "better"
        assert "a race on Dice with margin 0.01 chose when to stop" in effect.note


def test_before_the_first_interim_analysis_there_is_no_verdict(tmp_path):
    raced(tmp_path, gain=0.3, runs=1)
    effect = effect_of(tmp_path)
    assert effect.verdict == "undecided"
    assert effect.note.startswith("race: 1 of 5 trainings, not analysed yet")


def test_a_comparison_outside_the_race_is_left_alone(tmp_path):
    raced(tmp_path, gain=0.3, runs=4)
    there = cases(lambda i, c: 0.5 + 0.01 * i, 15)
    stored(tmp_path, *(record(there, arm, fraction="100%", seed=0) for arm in (SCRATCH, MASKED)))
    made = write_report(tmp_path, tmp_path / "report")
    notes = {effect.where.fraction: effect.note for effect in made.effects}
    assert "rac" not in notes["100%"]
    assert "settled by racing" in notes["3 shots"]


def test_how_a_race_ended_is_told(tmp_path):
    told = ended(raced(tmp_path / "one", gain=0.3, runs=4), tmp_path / "one", missing=2)
    assert told[0] == "1 of 1 comparisons are settled: 1 better."
    assert told[-1].startswith("2 cells were not needed and not run")
    told = ended(raced(tmp_path / "two", luck=0.3, runs=5), tmp_path / "two", missing=0)
    assert "given up after " in told[1]
    assert told[1].endswith("with a chance below 20%.")
    race = raced(tmp_path / "three", runs=5, failing=range(5))
    told = ended(race, tmp_path / "three", missing=0)
    assert told[1].endswith("failed, 5 of its 5 trainings have no result.")
    told = ended(raced(tmp_path / "four", runs=1), tmp_path / "four", missing=6)
    assert told[1].endswith("undecided, 4 trainings are missing.")


def test_tests_that_know_of_no_race_are_told_of_it(tmp_path):
    assert race_warning(tmp_path) == ""
    raced(tmp_path)
    assert race_warning(tmp_path).startswith("races (test) chose by their scores")


def test_a_damaged_declaration_is_named(tmp_path):
    raced(tmp_path)
    (tmp_path / "races" / "test.json").write_text("{")
    with pytest.raises(RecordError, match=r"test\.json: not a race"):
        write_report(tmp_path, tmp_path / "report")
