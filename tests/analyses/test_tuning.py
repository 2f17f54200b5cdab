"""What tuning chose, when that is luck, and what less of it would have said."""

import math

import pytest
from voxbench.analyses.best_of import best_of_k, best_table
from voxbench.analyses.effects import effects
from voxbench.analyses.pairing import twins
from voxbench.analyses.read import read_groups
from voxbench.analyses.tuned import beside, beside_table
from voxbench.analyses.tuning import Studied, on_border, studies_in, study_table
from voxbench.design.tuning import Range
from voxbench.records.cost import Cost, TuningCost
from voxbench.records.trials import Trials
from voxbench.reporting.report import write_report
from voxbench.stats.metric import find_metric

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored
from tests.tuning import trials as trials_of
from tests.tuning.trials import ARM, RATE

DICE = find_metric("dice")


def trial(number, scores, rate=0.01, **changes):
    """A trial with a score for each validation patient."""
    told = {f"p{i}": own for i, own in enumerate(scores)}
    mean = sum(scores) / len(scores) if scores else 0.0
    values = {RATE: rate, "adaptation": "full"}
    return trials_of.record(
        number, values, **{"scores": told, "score": mean, "budget": 3, **changes}
    )


CLEAR = [trial(0, [0.50, 0.61, 0.70]), trial(1, [0.90, 1.00, 0.95]), trial(2, [0.40, 0.52, 0.60])]


def row(*trials):
    [found] = study_table([Studied(tuple(trials))]).rows
    return found


def test_the_best_trial_is_chosen_and_what_all_took_is_told():
    cost = Cost(
        seconds=36, fit_seconds=30, predict_seconds=6, steps=9, peak_memory_mb=1, parameters=1,
        gpu_hours=0.01, cpu_hours=0.0,
    )  # fmt: skip
    found = row(*(one.model_copy(update={"cost": cost}) for one in CLEAR))
    assert found["score"] == pytest.approx(0.95)
    assert found["chosen"] == "learning_rate 0.01, adaptation full"
    assert found["gpu_hours"] == pytest.approx(0.03)
    assert (found["trials"], found["patients"], found["alike"], found["warning"]) == (3, 3, 0, "")


def test_a_winner_that_validation_cant_tell_from_most_others_is_luck():
    noisy = [trial(0, [0.2, 0.9, 0.6]), trial(1, [0.9, 0.3, 0.7]), CLEAR[2]]
    found = row(*noisy)
    assert found["alike"] == 2
    assert found["warning"] == "validation can't tell most trials from the best: the choice is luck"


def test_a_winner_on_the_border_missing_trials_and_a_study_without_a_winner_are_told():
    border = [CLEAR[0], trial(1, [0.9, 1.0, 0.95], rate=0.099)]
    assert row(*border)["warning"] == (
        "1 trial is missing; recipe.learning_rate lies on the border of the space: widen it"
    )
    failed = [trial(i, [], state="failed") for i in range(3)]
    found = row(*failed)
    assert (found["warning"], found["chosen"]) == ("no trial is complete", "")
    assert math.isnan(found["score"])


@pytest.mark.parametrize(
    ("parameter", "value", "border"),
    [
        (Range(low=1e-4, high=1e-2, log=True), 1.2e-4, True),
        (Range(low=1e-4, high=1e-2, log=True), 1.3e-4, False),
        (Range(low=0.0, high=1.0), 0.96, True),
        (Range(low=0.0, high=1.0), 0.94, False),
        ((1, 2, 3), 3, True),
        ((1, 2, 3), 2, False),
        ((1e-5, 1e-2), 1e-2, False),
        (("a", "b", "c"), "a", False),
    ],
)
def test_the_border_is_five_percent_of_a_range_or_the_end_of_three_numbers(
    parameter, value, border
):
    assert on_border(parameter, value) is border


def test_best_of_k_by_hand():
    """Of 0.2, 0.5 and 0.9 in the order 0.5, 0.9, 0.2."""
    study = Studied((trial(0, [0.5]), trial(1, [0.9]), trial(2, [0.2])))
    rows = best_of_k(study)
    assert [one.expected for one in rows] == pytest.approx([1.6 / 3, 2.3 / 3, 0.9])
    assert [one.found for one in rows] == [0.5, 0.9, 0.9]
    assert [line[4:6] for line in best_table([study]).body] == [
        ["1", "0.533"], ["2", "0.767"], ["3", "0.900"]
    ]  # fmt: skip


def test_a_pruned_trial_counts_as_it_was_seen_last_and_no_more_than_the_median():
    pruned = [trial(i, [], state="pruned", score=score) for i, score in ((1, 0.99), (2, 0.3))]
    study = Studied((CLEAR[0], *pruned, trial(3, [0.95])))
    between = (CLEAR[0].score + 0.95) / 2
    assert list(study.scores) == pytest.approx([CLEAR[0].score, between, 0.3, 0.95])
    assert study.best.number == 3


def test_twins_stand_behind_their_arms(tmp_path):
    masked = ARM.model_copy(update={"baseline": "zzz", "twin": "scratch"})
    for study, arm in (("a", ARM), ("b", masked)):
        Trials(tmp_path).write(trial(0, [0.5], study=study, arm=arm))
    assert [study.arm.baseline for study in studies_in(tmp_path)] == ["zzz", "scratch"]


def tuned(baseline, dice, rate):
    """A record of an arm that was tuned, which took half an hour of the processor."""
    cell = {
        "recipe": {"steps": 300, "learning_rate": rate},
        "tuned": {"study": baseline, "tuning": "t", "trials": 3, "values": {RATE: rate}},
    }
    cost = TuningCost(
        study=baseline, trials=3, pruned=0, failed=0, sampler="tpe", pruner="none", score=0.8,
        validation="v", patients=8, gpu_hours=0.0, cpu_hours=0.5,
    )  # fmt: skip
    return record(cases(dice), baseline, adaptation="full, tuned", cell=cell, tuning=cost)


def untuned(baseline, dice):
    return record(cases(dice), baseline, cell={"recipe": {"steps": 300, "learning_rate": 0.1}})


RECORDS = [
    untuned(SCRATCH, lambda i, _: 0.5 + i / 100),
    untuned(MASKED, lambda i, _: 0.7 + i / 100),
    tuned(SCRATCH, lambda i, _: 0.7 + i / 100, 0.01),
    tuned(MASKED, lambda i, _: 0.71 + i / 100, 0.002),
]


def test_tuned_is_compared_with_tuned_and_default_with_default_whatever_was_chosen():
    found = {pair.arm.where.adaptation: pair for pair in twins(read_groups(RECORDS), DICE)}
    assert found["full"].difference().values.mean() == pytest.approx(0.2)
    assert found["full, tuned"].difference().values.mean() == pytest.approx(0.01)


def test_default_and_tuned_stand_side_by_side_with_the_hours_of_tuning():
    groups = read_groups(RECORDS)
    rows = beside(
        groups, effects(twins(groups, DICE), 0.01), {own.key: own for own in RECORDS}, DICE
    )
    told = {own["arm"]: own for own in beside_table(rows, DICE).rows}
    assert told[SCRATCH]["gain"] == pytest.approx(0.2)
    assert told[MASKED]["gain"] == pytest.approx(0.01)
    assert told[MASKED]["default_effect"] == pytest.approx(0.2)
    assert told[MASKED]["tuned_effect"] == pytest.approx(0.01)
    assert math.isnan(told[SCRATCH]["tuned_effect"])
    assert told[MASKED]["tuning_cpu_hours"] == 0.5


def test_the_report_tells_it_and_draws_the_best_of_k(tmp_path):
    stored(tmp_path, *RECORDS)
    for one in CLEAR:
        Trials(tmp_path).write(one)
    made = write_report(tmp_path, tmp_path / "report")
    page = made.page.read_text()
    for heading in ("## Default and tuned", "## Tuning", "## Best of k trials"):
        assert heading in page
    [figure] = [figure for figure in made.figures if figure.title.startswith("Best of k")]
    assert all(path.exists() for path in figure.paths)


def test_another_recipe_is_no_default_of_a_tuned_arm():
    other = record(cases(lambda *_: 0.5), SCRATCH, cell={"recipe": {"steps": 999}})
    groups = read_groups([other, RECORDS[2]])
    assert beside(groups, [], {own.key: own for own in (other, RECORDS[2])}, DICE) == []
