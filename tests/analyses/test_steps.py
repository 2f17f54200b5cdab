"""Arms at several times the steps, and how soon their trainings are good."""

import numpy as np
from voxbench.analyses.claim_sentences import describe_claims
from voxbench.analyses.claims import judge_claims
from voxbench.analyses.effects import effects
from voxbench.analyses.more_steps import by_steps
from voxbench.analyses.pairing import twins
from voxbench.analyses.read import read_groups
from voxbench.analyses.steps import steps_table, trajectory_table
from voxbench.design.claims import Claim
from voxbench.stats.metric import METRICS

from tests.analyses.records import MASKED, SCRATCH, cases, record

DICE = METRICS["dice"]
SCRATCH_AT = {500: 0.6, 1500: 0.7, 5000: 0.75}


def runs(arm, steps, dice, **options):
    rng = np.random.default_rng(steps)
    noise = rng.normal(0, 0.004, (20, 2))
    noise -= noise.mean()
    recipe = {"recipe": {"steps": steps, "learning_rate": options.pop("rate", 0.01)}}

    def run(seed):
        found = cases(lambda i, _: dice + noise[i, seed], 20)
        name = f"{arm[:7]}-{steps}-{recipe['recipe']['learning_rate']}-{seed}"
        return record(found, arm, seed=seed, cell=recipe, key=name, **options)

    return [run(seed) for seed in range(2)]


def groups():
    found = [one for steps, dice in SCRATCH_AT.items() for one in runs(SCRATCH, steps, dice)]
    found += [one for steps in SCRATCH_AT for one in runs(MASKED, steps, 0.75)]
    return read_groups([*found, *runs(SCRATCH, 700, 0.1, rate=0.5)])


def test_the_twin_is_told_at_each_number_of_steps():
    found = groups()
    table = steps_table(effects(twins(found, DICE), 0.01), found, DICE)
    assert [row["steps"] for row in table.rows] == [500, 1500, 5000]
    assert [round(row["other_mean"], 2) for row in table.rows] == [0.6, 0.7, 0.75]
    assert [row["effect"] > 0.04 for row in table.rows] == [True, True, False]


def test_an_arm_with_one_number_of_steps_has_no_row():
    found = read_groups(runs(SCRATCH, 500, 0.6) + runs(MASKED, 500, 0.7))
    assert not steps_table(effects(twins(found, DICE), 0.01), found, DICE).rows


def test_another_recipe_is_no_other_number_of_steps():
    found = groups()
    known = {g.course.steps: by_steps(g, found, "dice") for g in found if g.twin is None}
    assert [steps for steps, _ in known[500]] == [500, 1500, 5000]
    assert known[700] == []


def test_each_number_of_steps_is_of_the_same_draws_and_seeds():
    """The longer training has the first seed alone; the other is far better."""
    longer, best = runs(SCRATCH, 1500, 0.7)[:1], runs(SCRATCH, 500, 0.9)[1:]
    found = read_groups([*runs(SCRATCH, 500, 0.6)[:1], *best, *longer])
    known = by_steps(found[0], found, "dice")
    assert [(steps, round(mean, 2)) for steps, mean in known] == [(500, 0.6), (1500, 0.7)]


def test_a_claim_shows_what_its_twin_reaches_with_more_steps():
    found = groups()
    setting = next(g.where.setting for g in found if g.twin and g.course.steps == 500)
    claim = Claim.model_validate(
        {"arm": "masked", "relation": "better", "other": "scratch", "fraction": "3 shots",
         "tasks": ["openkbp"], "setting": setting}
    )  # fmt: skip
    lines = list(describe_claims(judge_claims([claim], found)))
    assert f"    {SCRATCH} by steps: 0.600 at 500, 0.700 at 1500, 0.750 at 5000" in lines


def test_the_step_of_the_first_validation_at_90_percent():
    """90% of 0.8 is 0.72; the mean of both curves is 0.73 at 300 of 500 steps."""
    low = {100: 0.2, 200: 0.5, 300: 0.70, 400: 0.78, 500: 0.8}
    high = {100: 0.4, 200: 0.6, 300: 0.76, 400: 0.80, 500: 0.8}
    found = [record(cases(lambda *_: 0.8), seed=s, validation=v) for s, v in enumerate((low, high))]
    [row] = trajectory_table(read_groups(found)).rows
    assert (row["soon"], row["steps"], row["final"]) == (300, 500, 0.8)
    assert row["seconds"] == 10.0 * 300 / 500
    assert row["converged"] == "no"
    assert row["reason"].startswith("validation still rises, by 0.1")


def test_without_a_validation_curve_there_is_no_trajectory():
    assert not trajectory_table(read_groups([record(cases(lambda *_: 0.8))])).rows
