"""Made curves: which trainings have converged, which have not, and of which nobody knows."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.records.convergence import LARGEST_RISE, convergence

from tests.analyses.records import cases, record, scores

STEPS = range(10, 510, 10)


def curve(value, steps=STEPS):
    return {step: value(step / 500) for step in steps}


def trained(training=None, validation=None, found=None, **options):
    known = {"training": training or {}, "validation": validation or {}, "validation_of": "windows"}
    return record(found or cases(lambda *_: 0.8), **{**known, **options})


FLAT = curve(lambda share: 0.3 + math.exp(-10 * share))
FALLING = curve(lambda share: 2.0 - share)
LOOKS = range(50, 550, 50)
RISING = curve(lambda share: 0.2 + 0.4 * share, LOOKS)
LEVEL = curve(lambda share: 0.8 - math.exp(-10 * share), LOOKS)


def test_a_flat_loss_has_converged():
    assert convergence([trained(FLAT)]).word == "yes"


def test_a_falling_loss_has_not_and_says_by_how_much():
    found = convergence([trained(FALLING)])
    assert found.word == "no"
    assert found.reason == "loss still falls, by 0.25 in the last quarter of the steps"
    assert found.note == f"not converged: {found.reason}"


def test_a_rising_validation_has_not_converged():
    found = convergence([trained(FLAT, RISING)])
    told = "validation still rises, by 0.14 Dice over the last third of the steps"
    assert found.note == f"not converged: {told}"


def test_validation_decides_where_cases_are_learnt_by_heart():
    assert convergence([trained(FALLING, LEVEL)]).word == "yes"


def test_a_validation_by_patches_about_structures_can_say_no_and_never_yes():
    """What records before this held, where no weights were selected."""
    before, selecting = {"validation_of": None}, {"cell": {"recipe": {"selection": "best"}}}
    assert convergence([trained(FLAT, RISING, **before)]).word == "no"
    assert convergence([trained(FLAT, LEVEL, **before)]) == (
        "unknown", "its validation looked at patches about structures",
    )  # fmt: skip
    mixed = [trained(FLAT, LEVEL), trained(FLAT, LEVEL, seed=1, **before)]
    assert convergence(mixed).word == "unknown"
    assert convergence([trained(FLAT, LEVEL, **before, **selecting)]).word == "yes"
    assert convergence([trained(FLAT, **before)]).word == "yes"


def test_two_validations_tell_nothing_and_leave_it_to_the_loss():
    assert convergence([trained(FALLING, {250: 0.8, 500: 0.8})]).word == "no"


@pytest.mark.parametrize("training", [{}, {1: 0.5}, {1: 2.0, 2: 1.0, 3: 0.5, 4: 0.3}])
def test_without_a_curve_nobody_knows(training):
    assert convergence([trained(training)]).word == "unknown"
    assert convergence([trained(training)]).note == ""


def test_direct_inference_trains_nothing():
    assert convergence([trained(FALLING, adaptation="direct")]).word == ""


def test_a_fall_within_the_noise_is_unknown():
    noisy = {step: 1.0 + 0.4 * (-1) ** (step // 10) - 0.1 * (step > 375) for step in STEPS}
    assert convergence([trained(noisy)]) == ("unknown", "no curve is long and steady enough")


def unseen(volume=0.0, **others):
    """Two classes of which one is never predicted."""
    found = cases(lambda *_: 0.8, classes=("a", "b"))
    for case in found:
        case.classes["b"] = scores(0.0, volume_mm3_prediction=volume, **others)
    return found


def test_a_class_that_is_never_predicted_is_named():
    found = convergence([trained(FLAT, LEVEL, unseen())])
    assert found.note == "not converged: b is never predicted"


def test_one_training_that_never_predicts_it_is_enough():
    runs = [trained(FLAT), trained(FLAT, None, unseen(), seed=1)]
    assert convergence(runs).reason == "b is never predicted in 1 of 2 runs"


@pytest.mark.parametrize(
    "found",
    [
        unseen(volume=1.0),
        unseen(volume_mm3_reference=0.0),
        unseen(volume=math.nan),
        unseen(flag="failed"),
    ],
)
def test_it_is_not_missed_where_it_is_absent_unknown_or_failed(found):
    assert convergence([trained(FLAT, None, found)]).word == "yes"


def test_curves_of_runs_are_averaged():
    """One rises by 1.5 times the threshold, one falls by half of it: together they rise by half."""

    def run(rise, seed):
        shape = {step: 0.8 + rise * (step > 350) for step in LOOKS}
        return trained(FLAT, shape, seed=seed)

    pair = [run(1.5 * LARGEST_RISE, 0), run(-0.5 * LARGEST_RISE, 1)]
    assert convergence(pair[:1]).word == "no"
    assert convergence(pair).word == "yes"


@given(st.floats(-1, 1), st.floats(0.1, 10))
def test_a_constant_curve_has_converged_whatever_its_level(level, length):
    flat = {round(step * length) + step: level for step in STEPS}
    assert convergence([trained(flat)]).word == "yes"
