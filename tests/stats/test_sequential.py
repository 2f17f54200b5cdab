import numpy as np
import pytest
from voxbench.stats.sequential import Entry, decide, error_shares

NAN = float("nan")


def entry(gain, patients=20, runs=6, noise=0.01, luck=0.0, seed=0, arm="a", where="here", **given):
    rng = np.random.default_rng(seed)
    twin = 0.5 + np.random.default_rng(99).normal(0, noise, (patients, runs))
    arm_scores = 0.5 + gain + rng.normal(0, noise, (patients, runs)) + rng.normal(0, luck, runs)
    trainings = tuple((0, number) for number in range(runs))
    return Entry(where, (arm, "twin"), trainings, np.stack([arm_scores, twin]), **given)


def only(found, margin=0.01, shares=None, **options):
    [decision] = decide([found], shares or error_shares(6), margin, **options)
    return decision


@pytest.mark.parametrize("runs", [2, 3, 7, 40])
def test_the_interim_analyses_spend_all_of_the_error(runs):
    spent = error_shares(runs)
    assert len(spent) == runs - 1
    assert sum(spent) == pytest.approx(1)
    assert spent[-1] > 0


def test_the_shares_of_ten_trainings_by_hand():
    assert error_shares(10) == pytest.approx([0, 0.3, 0, 0.2, 0, 0.2, 0, 0, 0.3])


def test_an_interim_is_the_interval_of_its_share_and_its_p_is_divided_by_it():
    found = entry(0.012, noise=0.03, runs=4)
    whole = only(found, shares=[0.0, 0.0, 1.0]).interim
    half = only(found, shares=[1e-9, 0.0, 0.5]).interim
    assert whole.runs == half.runs == 4
    assert half.p == pytest.approx(2 * whole.p)
    assert half.low < whole.low < whole.effect == half.effect < whole.high < half.high


def test_a_clear_effect_is_settled_before_the_last_interim_and_stays():
    decision = only(entry(0.2))
    assert (decision.verdict, decision.due) == ("better", 0)
    assert decision.interim.runs < 6
    whole = entry(0.2)
    for runs in range(decision.interim.runs, 6):
        part = whole._replace(runs=whole.runs[:runs], scores=whole.scores[:, :, :runs])
        assert only(part).interim == decision.interim


def test_less_is_better_for_a_distance():
    assert only(entry(0.2), sign=-1).verdict == "worse"


def test_a_small_effect_is_equivalent():
    assert only(entry(0.0), margin=0.02).verdict == "equivalent"


def test_few_patients_are_never_settled_and_given_up():
    for gain in (0.0, 0.5):
        decision = only(entry(gain, patients=5), margin=0.1)
        assert (decision.verdict, decision.interim.runs, decision.due) == ("undecided", 2, 0)


def test_before_the_first_analysis_its_trainings_are_due():
    decision = only(entry(0.2, runs=1))
    assert decision[:3] == ("undecided", None, 1.0)
    assert decision.due == 2


def test_what_luck_hides_is_given_up_and_names_no_winner():
    decision = only(entry(0.0, luck=0.2, runs=3), shares=error_shares(10))
    assert (decision.verdict, decision.due) == ("undecided", 0)
    assert decision.interim.chance < 0.2


def test_what_may_still_be_settled_goes_on_to_the_next_analysis():
    decision = only(entry(0.04, luck=0.015, runs=3), shares=error_shares(10))
    assert (decision.verdict, decision.due) == ("undecided", 5)


def test_those_of_one_twin_wait_for_each_other():
    late = entry(0.2, runs=1, arm="b", seed=1)
    first, second = decide([entry(0.2), late], error_shares(6), 0.01)
    assert first.interim is None
    assert (first.due, second.due) == (2, 2)
    first, second = decide([entry(0.2), late._replace(where="there")], error_shares(6), 0.01)
    assert (first.verdict, second.interim) == ("better", None)


def test_one_that_gets_no_more_trainings_holds_nobody_up():
    late = entry(0.2, runs=1, arm="b", seed=1, over=True)
    first, second = decide([entry(0.2), late], error_shares(6), 0.01)
    assert (first.verdict, second.verdict) == ("better", "undecided")


def test_a_failed_training_is_over_and_left_out():
    whole = entry(0.2)
    failed = whole._replace(scores=whole.scores.copy())
    failed.scores[:, :, 0] = NAN
    assert only(failed).verdict == "better"
    assert only(failed).interim.runs == 3  # one of the first two says nothing of their spread


def test_the_intervals_of_a_family_are_wider_and_its_p_counts_all():
    family = [entry(0.012), *(entry(0.0, where=f"task {n}", runs=1) for n in range(9))]
    alone, among = only(entry(0.012), shares=[1.0]), decide(family, [1.0], 0.01)[0]
    assert among.p == alone.p
    assert among.p_adjusted == pytest.approx(min(1, 10 * alone.p))
    assert among.interim.high - among.interim.low > alone.interim.high - alone.interim.low


def test_arms_with_one_twin_know_of_each_others_seeds():
    arms = [entry(0.0, luck=0.01, noise=0.002, runs=3, seed=n, arm=f"a{n}") for n in range(8)]
    together = decide(arms, [0.0, 1.0], 0.001)
    apart = decide([one._replace(where=one.arms) for one in arms], [0.0, 1.0], 0.001)
    widths = [[one.interim.high - one.interim.low for one in found] for found in (together, apart)]
    assert np.mean(widths[0]) < 0.7 * np.mean(widths[1])
