import math

import numpy as np
import pytest
from voxbench.analyses.groups import read_groups
from voxbench.design.claim import parse
from voxbench.errors import SpecError
from voxbench.stats.claims import judge

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


def found(records, *sentences, **options):
    return judge([parse(text, **options) for text in sentences], read_groups(records))


@pytest.mark.parametrize(
    ("claim", "gain", "verdict"),
    [
        ("masked > scratch at 3 shots on openkbp", 0.05, "holds"),
        ("masked > scratch at 3 shots on openkbp, margin 0.02", 0.05, "holds"),
        ("masked > scratch at 3 shots on openkbp, margin 0.049", 0.05, "undecided"),
        ("masked > scratch at 3 shots on openkbp, margin 0.08", 0.05, "does not hold"),
        ("masked < scratch at 3 shots on openkbp", 0.05, "does not hold"),
        ("masked < scratch at 3 shots on openkbp", -0.05, "holds"),
        ("masked ~ scratch at 3 shots on openkbp", 0.0, "holds"),
        ("masked ~ scratch at 3 shots on openkbp", 0.05, "does not hold"),
        ("masked ~ scratch at 3 shots on openkbp, margin 0.07", 0.05, "holds"),
        ("masked >= scratch at 3 shots on openkbp", 0.05, "holds"),
        ("masked >= scratch at 3 shots on openkbp, margin 0.06", -0.05, "holds"),
        ("masked >= scratch at 3 shots on openkbp", -0.05, "does not hold"),
    ],
)
def test_a_claim_is_held_against_the_records(claim, gain, verdict):
    assert found(both(gain), claim)[0].verdict == verdict


def test_less_is_better_for_distances():
    [one] = found(both(0.3), "masked > scratch at 3 shots on openkbp, margin 1", metric="hd95_mm")
    assert (one.verdict, one.tasks[0].effect < -2) == ("holds", True)


def test_at_least_two_of_three_tasks():
    records = both(0.05, "a") + both(0.05, "b") + both(-0.05, "c")
    two, every, any_, three = found(
        records,
        "masked > scratch at 3 shots on at least 2 tasks",
        "masked > scratch at 3 shots on every task",
        "masked > scratch at 3 shots on any task",
        "masked > scratch at 3 shots on at least 3 tasks",
    )
    assert [one.verdict for one in (two, any_)] == ["holds", "holds"]
    assert [one.verdict for one in (every, three)] == ["does not hold", "does not hold"]
    p = sorted(row.p for row in two.tasks)
    assert (two.p, any_.p, every.p) == (2 * p[1], 3 * p[0], p[2])


def test_many_claims_make_each_harder():
    sentence = "masked > scratch at 3 shots on openkbp, margin 0.02"
    [alone] = found(both(0.05), sentence)
    [among, *_] = found(both(0.05), *[sentence] * 5)
    assert among.p_holm == pytest.approx(5 * alone.p)


def test_luck_of_seeds_is_in_p():
    lucky = runs(SCRATCH, 0.0)
    for seed, gain in enumerate((0.01, 0.03, 0.11)):
        lucky.append(runs(MASKED, gain)[seed])
    [one] = found(lucky, "masked > scratch at 3 shots on openkbp")
    assert (one.verdict, one.tasks[0].p > 0.1) == ("undecided", True)


def test_few_patients_are_undecided():
    [one] = found(both(0.05, patients=5), "masked > scratch at 3 shots on openkbp")
    assert one.verdict == "undecided"
    assert "fewer than 6 patients" in one.tasks[0].note


def test_smoke_runs_decide_nothing():
    [one] = found(both(0.05, smoke=True), "masked > scratch at 3 shots on openkbp")
    assert (one.verdict, math.isnan(one.p)) == ("undecided", True)
    assert "smoke runs measure nothing" in one.reason


def test_what_was_not_run_cannot_be_tested():
    records = both(0.05) + runs(MASKED, 0.0, "liver")
    one, two = found(
        records,
        "masked > scratch at 3 shots on openkbp and liver",
        "masked > scratch at 3 shots on at least 2 tasks",
    )
    assert [one.verdict, two.verdict] == ["cannot be tested"] * 2
    assert "1 of 2 tasks can be tested" in one.reason
    assert any("no record of scratch" in row.note for row in one.tasks)


def test_of_two_settings_one_must_be_named():
    records = both(0.05) + both(-0.05, cell={"recipe": {"steps": 9}})
    for place, entry in enumerate(records[6:]):
        records[6 + place] = entry.model_copy(update={"key": f"other-{place}"})
    [one] = found(records, "masked > scratch at 3 shots on openkbp")
    assert (one.verdict, "several settings" in one.tasks[0].note) == ("cannot be tested", True)
    first = one.tasks[0].note.partition("(")[2][:6]
    [named] = found(records, "masked > scratch at 3 shots on openkbp", setting=first)
    assert named.verdict in ("holds", "does not hold")


def test_the_records_behind_a_number_are_named():
    records = both(0.05)[1:]  # scratch lacks one run
    [one] = found(records, "masked > scratch at 3 shots on openkbp")
    assert one.tasks[0].runs == 2
    assert len(one.tasks[0].records) == 4
    assert set(one.tasks[0].records) <= {entry.key for entry in records}


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("maskd-autoencoder > scratch at 3 shots on openkbp", "Did you mean 'masked-autoencoder'"),
        ("masked > scratch at 3 shots on openkpb", "Did you mean 'openkbp'?"),
        ("masked > scratch at 4 shots on openkbp", "unknown fraction '4 shots'"),
        ("scratch[ > scratch at 3 shots on openkbp", "has no scratch twin"),
    ],
)
def test_unknown_names_get_the_nearest(sentence, why):
    with pytest.raises(SpecError) as error:
        found(both(0.05), sentence)
    assert why in str(error.value)
    assert sentence in str(error.value)


def test_two_equal_arms_with_luck_seldom_make_a_claim():
    """The p of one statement, without the bootstrap, which is slow."""
    from voxbench.stats.few import spread

    rng = np.random.default_rng(0)
    said = 0
    for _ in range(400):
        values = rng.normal(0, 1, (30, 3)) + rng.normal(0, 0.3, 3)
        said += spread(values[None], (0, 0, 0)).p(0, abs(values.mean())) < 0.05
    assert said / 400 < 0.07
