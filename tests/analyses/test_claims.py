import math

import numpy as np
import pytest
from voxbench.analyses.claims import judge_claims
from voxbench.analyses.read import read_groups
from voxbench.design.claims import Claim
from voxbench.errors import SpecError

from tests.analyses.records import MASKED, SCRATCH, cases, record


def runs(arm, gain, task="openkbp", patients=20, seeds=3, **options):
    """An arm whose patients differ from 0.5, 0.51, … by `gain` and a little noise."""
    rng = np.random.default_rng([patients, len(arm), len(task)])
    noise = rng.normal(0, 0.004, (patients, seeds))
    return [
        record(
            cases(lambda i, c, s=seed: 0.5 + 0.01 * i + gain + noise[i, s], patients),
            arm, task=task, seed=seed, **options,
        )
        for seed in range(seeds)
    ]  # fmt: skip


def both(gain, task="openkbp", **options):
    return runs(SCRATCH, 0.0, task, **options) + runs(MASKED, gain, task, **options)


def claim(**changes):
    """«masked is better than scratch at 3 shots on openkbp», but for the changes."""
    stated = {
        "arm": "masked",
        "relation": "better",
        "other": "scratch",
        "fraction": "3 shots",
        "tasks": ["openkbp"],
    }
    return Claim.model_validate({**stated, **changes})


def judged(records, *claims):
    return judge_claims(claims, read_groups(records))


@pytest.mark.parametrize(
    ("relation", "margin", "gain", "verdict"),
    [
        ("better", None, 0.05, "holds"),
        ("better", 0.02, 0.05, "holds"),
        ("better", 0.049, 0.05, "undecided"),
        ("better", 0.08, 0.05, "does not hold"),
        ("worse", None, 0.05, "does not hold"),
        ("worse", None, -0.05, "holds"),
        ("equivalent", None, 0.0, "holds"),
        ("equivalent", None, 0.05, "does not hold"),
        ("equivalent", 0.07, 0.05, "holds"),
        ("not worse", None, 0.05, "holds"),
        ("not worse", 0.06, -0.05, "holds"),
        ("not worse", None, -0.05, "does not hold"),
    ],
)
def test_a_claim_is_held_against_the_records(relation, margin, gain, verdict):
    [one] = judged(both(gain), claim(relation=relation, margin=margin))
    assert one.verdict == verdict


def test_less_is_better_for_distances():
    [one] = judged(both(0.3), claim(margin=1.0, metric="hd95_mm"))
    assert (one.verdict, one.tasks[0].effect < -2) == ("holds", True)


def test_at_least_two_of_three_tasks():
    records = both(0.05, "a") + both(0.05, "b") + both(-0.05, "c")
    counts = (2, None, 1, 3)
    two, every, any_, three = judged(
        records, *(claim(tasks="all", at_least=count) for count in counts)
    )
    assert [one.verdict for one in (two, any_)] == ["holds", "holds"]
    assert [one.verdict for one in (every, three)] == ["does not hold", "does not hold"]
    p = sorted(row.p for row in two.tasks)
    assert (two.p, any_.p, every.p) == (2 * p[1], 3 * p[0], p[2])


def test_many_claims_make_each_harder():
    [alone] = judged(both(0.05), claim(margin=0.02))
    [among, *_] = judged(both(0.05), *[claim(margin=0.02)] * 5)
    assert among.p_holm == pytest.approx(5 * alone.p)


def test_luck_of_seeds_is_in_p():
    lucky = runs(SCRATCH, 0.0)
    for seed, gain in enumerate((0.01, 0.03, 0.11)):
        lucky.append(runs(MASKED, gain)[seed])
    [one] = judged(lucky, claim())
    assert (one.verdict, one.tasks[0].p > 0.1) == ("undecided", True)


def test_few_patients_are_undecided():
    [one] = judged(both(0.05, patients=5), claim())
    assert one.verdict == "undecided"
    assert "fewer than 6 patients" in one.tasks[0].note


def test_smoke_runs_decide_nothing():
    [one] = judged(both(0.05, smoke=True), claim())
    assert (one.verdict, math.isnan(one.p)) == ("undecided", True)
    assert "smoke runs measure nothing" in one.reason


def test_what_was_not_run_cannot_be_tested():
    records = both(0.05) + runs(MASKED, 0.0, "liver")
    one, two = judged(records, claim(tasks=["openkbp", "liver"]), claim(tasks="all", at_least=2))
    assert [one.verdict, two.verdict] == ["cannot be tested"] * 2
    assert "1 of 2 tasks can be tested" in one.reason
    assert any("no record of scratch" in row.note for row in one.tasks)


def test_of_two_settings_one_must_be_named():
    records = both(0.05) + both(-0.05, cell={"recipe": {"steps": 9}})
    for place, entry in enumerate(records[6:]):
        records[6 + place] = entry.model_copy(update={"key": f"other-{place}"})
    [one] = judged(records, claim())
    assert (one.verdict, "several settings" in one.tasks[0].note) == ("cannot be tested", True)
    first = one.tasks[0].note.partition("(")[2][:6]
    [named] = judged(records, claim(setting=first))
    assert named.verdict in ("holds", "does not hold")


def test_the_records_behind_a_number_are_named():
    records = both(0.05)[1:]  # scratch lacks one run
    [one] = judged(records, claim())
    assert one.tasks[0].runs == 2
    assert len(one.tasks[0].records) == 4
    assert set(one.tasks[0].records) <= {entry.key for entry in records}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"arm": "maskd-autoencoder"}, "Did you mean 'masked-autoencoder'"),
        ({"tasks": ["openkpb"]}, "Did you mean 'openkbp'?"),
        ({"fraction": "4 shots"}, "unknown fraction '4 shots'"),
        ({"arm": "scratch["}, "has no scratch twin"),
    ],
)
def test_unknown_names_get_the_nearest(changes, why):
    wrong = claim(**changes)
    with pytest.raises(SpecError) as error:
        judged(both(0.05), wrong)
    assert why in str(error.value)
    assert str(wrong) in str(error.value)


@pytest.mark.parametrize(("relation", "gain"), [("better", 0.05), ("not worse", 0.05)])
def test_no_claim_holds_by_a_head_start(relation, gain):
    falling = {step: 2.0 - step / 100 for step in range(1, 101)}
    records = runs(SCRATCH, 0.0, training=falling) + runs(MASKED, gain, training=falling)
    [found] = judged(records, claim(relation=relation))
    assert found.verdict == "head start"
    assert found.reason == "what lies behind has not converged on openkbp"
    assert [row.verdict for row in found.tasks] == ["head start"]


def test_a_claim_that_an_arm_is_worse_needs_it_to_have_converged():
    falling = {step: 2.0 - step / 100 for step in range(1, 101)}
    records = runs(SCRATCH, 0.0) + runs(MASKED, -0.05, training=falling)
    [found] = judged(records, claim(relation="worse"))
    assert found.verdict == "head start"
