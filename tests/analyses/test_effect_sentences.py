import math

import pytest
from voxbench.analyses.effect_sentences import (
    effect_chapters,
    effect_sentence,
    effect_summary,
    overall_sentence,
)
from voxbench.analyses.effects import Effect, Overall
from voxbench.analyses.groups import Scope, Where
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.stats.metric import METRICS

from tests.analyses.records import MASKED

DICE, HD95 = METRICS["dice"], METRICS["hd95_mm"]


def effect(mean=0.021, low=0.010, high=0.033, verdict="better", adaptation="full", **changes):
    values = {
        "where": Where("openkbp", adaptation, "3 shots", "s"),
        "train_patients": 3.0, "arm": MASKED, "other": "scratch", "metric": "dice",
        "patients": 40, "runs": 3, "arm_mean": 0.5, "other_mean": 0.5, "alone": UNDEFINED,
            "p": 0.01, "covers": "patients, seeds", "p_adjusted": 0.01, "p_patients": 0.01,
            "alarms": UNDEFINED, "alarms_verdict": "",
        "converged": "yes", "other_converged": "yes",
        "undefined": 0, "failed": 0, "contamination": "clean", "note": "",
    }  # fmt: skip
    found = {**values, "effect": Interval(mean, low, high), "verdict": verdict, **changes}
    return Effect(**found)


def test_a_gain_is_one_plain_sentence():
    assert effect_sentence(effect(), DICE) == (
        f"{MASKED} on openkbp at 3 shots: better than scratch by 0.021 Dice [0.010, 0.033], "
        "40 patients, 3 runs."
    )


def test_a_loss_is_told_as_a_positive_size():
    text = effect_sentence(effect(-0.021, -0.033, -0.010, "worse"), DICE)
    assert "worse than scratch by 0.021 Dice [0.010, 0.033]" in text


def test_a_shorter_distance_is_told_in_millimetres():
    text = effect_sentence(effect(-2.1, -3.3, -1.0, "better"), HD95)
    assert "better than scratch by 2.10 mm HD95 [1.00, 3.30]" in text


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("equivalent", "equivalent to scratch, −0.002 Dice [−0.005, +0.001]"),
        ("undecided", "undecided against scratch, −0.002 Dice [−0.005, +0.001]"),
    ],
)
def test_no_clear_difference_keeps_its_sign(verdict, words):
    assert words in effect_sentence(effect(-0.002, -0.005, 0.001, verdict), DICE)


def test_a_missing_pairing_says_why():
    text = effect_sentence(effect(verdict="", note="no record of scratch"), DICE)
    assert text.endswith("not compared with scratch: no record of scratch.")


def test_another_adaptation_is_named():
    told = effect_sentence(effect(adaptation="frozen"), DICE)
    assert "at 3 shots (frozen): better than scratch (frozen) by 0.021" in told


def test_what_tells_recipes_apart_is_told_of_each():
    [(_, told)] = effect_chapters([effect()], DICE, {("openkbp", "s"): "500 steps"})
    assert told[0].startswith(f"{MASKED} on openkbp at 3 shots, 500 steps: better than")


def test_over_two_tasks_the_lack_of_an_interval_has_its_reason():
    effect = Interval(0.02, math.nan, math.nan)
    row = Overall(Scope("full", "3 shots"), MASKED, "scratch", 2, effect, "no interval over few")
    assert overall_sentence(row, DICE) == (
        f"{MASKED} at 3 shots, over 2 tasks: +0.020 Dice against scratch (no interval over few)."
    )


def test_the_summary_counts_the_words():
    found = [effect(), effect(), effect(verdict="equivalent"), effect(verdict="")]
    assert effect_summary(found, DICE, 0.01) == (
        "3 comparisons with the scratch twin by Dice: 2 better, 1 equivalent (equivalent is within "
        "±0.01 Dice)."
    )


def test_without_a_comparison_the_summary_says_so():
    assert effect_summary([effect(verdict="")], DICE, 0.01).startswith("No arm could be compared")


def test_chapters_lead_with_the_largest_effect_and_leave_nothing_out():
    found = [effect(0.01), effect(0.05), effect(-0.02, verdict="worse"), effect(verdict="")]
    told = dict(effect_chapters(found, DICE, {("openkbp", "s"): ""}))
    assert list(told) == [
        "Where pre-training helps", "Where it hurts", "What could not be compared",
    ]  # fmt: skip
    assert "0.050" in told["Where pre-training helps"][0]
    assert sum(map(len, told.values())) == len(found)


def test_an_arm_that_has_seen_the_test_data_is_told_of():
    seen = effect(contamination="overlaps (by corpus)", note="1 run")
    assert effect_sentence(seen, DICE).endswith("(1 run; contamination: overlaps (by corpus)).")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("head start", "a head start on scratch by 0.021"), ("behind", "behind scratch by 0.021")],
)
def test_what_has_not_converged_is_neither_beaten_nor_worse(verdict, words):
    assert words in effect_sentence(effect(verdict=verdict), DICE)
