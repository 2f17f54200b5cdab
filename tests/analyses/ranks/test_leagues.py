from voxbench.analyses.ranks.leagues import shared_leagues, task_leagues
from voxbench.analyses.read import read_groups
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
    found = task_leagues(read_groups(records), DICE, 0.01)
    return {
        (where.task, row.arm): (row.place, row.group)
        for where, league in found.items()
        for row in league.rows
    }


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
    [made] = shared_leagues(read_groups(records), DICE, 0.01)
    assert made.board.tasks == ("one", "two")
    assert {row.arm for row in made.rows} == {SCRATCH, MASKED}
