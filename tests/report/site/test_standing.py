import pytest
from voxbench.analyses.groups import by_arm, read_groups
from voxbench.report.site.material import Result
from voxbench.report.site.recipes import setting_words
from voxbench.report.site.standing import shared_tasks, standings
from voxbench.report.site.strips import distributions
from voxbench.stats.metric import METRICS

from tests.analyses.records import MASKED, SCRATCH, cases, record

DICE = METRICS["dice"]
OTHER = "supervised[source=malf,volumes=28]"


def runs(arm, dice, seeds=3, luck=0.0, **options):
    return [
        record(
            cases(lambda i, c, s=seed: dice + 0.01 * i + luck * (s - 1), 12),
            arm,
            seed=seed,
            **options,
        )
        for seed in range(seeds)
    ]


def places(records):
    found = standings(read_groups(records), DICE, 0.01)
    return {(where.task, arm): (own.place, own.tied) for (where, arm), own in found.items()}


def test_arms_are_ranked_within_their_task():
    records = [*runs(SCRATCH, 0.5), *runs(MASKED, 0.6), *runs(SCRATCH, 0.9, task="other")]
    assert places(records) == {("openkbp", MASKED): (1, "a"), ("openkbp", SCRATCH): (2, "b")}


def test_a_lead_that_is_the_luck_of_few_runs_is_a_tie():
    lucky = runs(MASKED, 0.56, luck=0.1)
    assert places([*runs(SCRATCH, 0.5), *lucky]) == {
        ("openkbp", MASKED): (1, "a"), ("openkbp", SCRATCH): (1, "a"),
    }  # fmt: skip


def test_a_lead_inside_the_margin_is_a_tie():
    assert places([*runs(SCRATCH, 0.5), *runs(MASKED, 0.505)]) == {
        ("openkbp", MASKED): (1, "a"), ("openkbp", SCRATCH): (1, "a"),
    }  # fmt: skip


def test_smoke_runs_and_failed_arms_have_no_rank():
    records = [*runs(SCRATCH, 0.5), *runs(MASKED, 0.6, smoke=True), record(None, OTHER)]
    assert places(records) == {}


def test_arms_without_a_common_run_are_ranked_on_what_they_have():
    records = [*runs(SCRATCH, 0.5, seeds=1), *runs(MASKED, 0.6)[1:]]
    assert set(places(records)) == {("openkbp", SCRATCH), ("openkbp", MASKED)}


def test_several_tasks_rank_the_arms_that_ran_on_all_of_them():
    records = [
        *(r for task in ("one", "two") for arm, dice in ((SCRATCH, 0.5), (MASKED, 0.6))
          for r in runs(arm, dice, task=task)),
        *runs(OTHER, 0.9, task="one"),
    ]  # fmt: skip
    [made] = shared_tasks(read_groups(records), DICE, 0.01)
    assert made.board.tasks == ("one", "two")
    assert {row.arm for row in made.rows} == {SCRATCH, MASKED}


def test_settings_are_told_apart_by_the_fields_that_differ():
    long = {"recipe": {"steps": 500, "batch": 2}}
    short = {"recipe": {"steps": 200, "batch": 2}}
    records = [
        record(cases(lambda i, c: 0.5), cell=long),
        record(cases(lambda i, c: 0.5), seed=1, cell=short),
        record(cases(lambda i, c: 0.5), task="alone"),
    ]
    words = setting_words(by_arm(records))
    assert sorted(words.values()) == ["", "steps 200", "steps 500"]


@pytest.mark.parametrize("metric", ["dice", "hd95_mm"])
def test_a_strip_has_a_dot_a_patient_within_its_frame(metric):
    groups = read_groups([*runs(SCRATCH, 0.5), *runs(MASKED, 0.6)])
    results = [Result(group, None, [], None, "", None) for group in groups]
    [figure] = distributions(results, METRICS[metric])
    assert [strip.arm for strip in figure.strips] == [MASKED, SCRATCH]  # the better one first
    for strip in figure.strips:
        dots = [float(dot.split()[0]) for dot in strip.dots.split("M")[1:]]
        assert len(dots) == 12
        assert 5 <= min(dots) <= strip.quartiles[1] <= max(dots) <= 595
        assert strip.words.startswith("12 patients: median")
