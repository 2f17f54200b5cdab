import numpy as np
import pytest
from voxbench.stats.bootstrap import Sample
from voxbench.stats.sequential import Interim, decide, error_shares, interims


def sample(gain, patients=20, runs=6, noise=0.01, seed=0):
    values = gain + np.random.default_rng(seed).normal(0, noise, (patients, runs))
    return Sample(values, (0,) * runs)


@pytest.mark.parametrize("runs", [2, 3, 7, 40])
def test_the_interim_analyses_spend_all_of_the_error_and_more_of_it_later(runs):
    spent = error_shares(runs)
    assert len(spent) == runs - 1
    assert sum(spent) == pytest.approx(1)
    assert spent[1:] == sorted(spent[1:])


def test_the_shares_of_three_trainings_by_hand():
    assert error_shares(3) == pytest.approx([8 / 27, 19 / 27])


def test_an_interim_is_the_interval_of_its_share():
    seen = interims(sample(0.1), error_shares(6), 1)
    assert [interim.runs for interim in seen] == [2, 3, 4, 5, 6]
    assert all(interim.low < interim.effect < interim.high for interim in seen)
    assert seen[-1].high - seen[-1].low < seen[0].high - seen[0].low


def test_the_p_of_an_interim_is_where_its_interval_meets_zero():
    data = sample(0.012, noise=0.03, runs=4)
    [*_, interim] = interims(data, [0.2, 0.3, 0.5], 1)
    assert 1e-6 < interim.p < 1
    [*_, edge] = interims(data, [0.2, 0.3, interim.p * 0.5 / 0.05], 1)
    assert min(abs(edge.low), abs(edge.high)) == pytest.approx(0, abs=1e-5)


def test_a_p_that_spends_more_than_its_share_is_one():
    data = sample(0.012, noise=0.03, runs=4)
    known = interims(data, [0.2, 0.3, 0.5], 1)[-1].p * 0.5
    assert interims(data, [0.2, 0.3, known / 2], 1)[-1].p == 1.0
    assert interims(sample(0.0), error_shares(6), 1)[0].p == 1.0


def test_a_clear_effect_is_settled_before_the_last_interim_and_stays():
    family = [interims(sample(0.2), error_shares(6), 1)]
    [decision] = decide(family, 0.01)
    assert decision.verdict == "better"
    assert decision.interim.runs < 6
    for runs in range(decision.interim.runs - 1, 6):
        assert decide([family[0][:runs]], 0.01)[0].interim == decision.interim


def test_less_is_better_for_a_distance():
    assert decide([interims(sample(0.2), error_shares(6), 1)], 0.01, sign=-1)[0].verdict == "worse"


def test_a_small_effect_is_equivalent():
    assert decide([interims(sample(0.0), error_shares(6), 1)], 0.02)[0].verdict == "equivalent"


def test_few_patients_are_never_settled():
    for gain in (0.0, 0.5):
        seen = interims(sample(gain, patients=5), error_shares(6), 1)
        assert decide([seen], 0.1)[0].verdict == "undecided"


def test_before_the_second_training_nothing_is_tested():
    [decision] = decide([interims(sample(0.2, runs=1), error_shares(6), 1)], 0.01)
    assert (decision.verdict, decision.interim, decision.p) == ("undecided", None, 1.0)


def test_more_trainings_than_were_declared_are_not_tested():
    assert len(interims(sample(0.2, runs=6), error_shares(4), 1)) == 3


def test_the_intervals_of_a_family_are_wider_and_hold_at_once():
    alone, among = (interims(sample(0.012), error_shares(6), family)[-1] for family in (1, 10))
    assert among.p == alone.p
    assert among.high - among.low > alone.high - alone.low


def interim(low, high, runs=2):
    return Interim(runs, 0.5, (low + high) / 2, low, high, 0.02)


def test_p_counts_the_family_and_those_that_were_not_tested():
    alone = decide([[interim(0.1, 0.3)]], 0.01)[0]
    assert (alone.p, alone.p_adjusted, alone.verdict) == (0.02, 0.02, "better")
    among = decide([[interim(-0.1, 0.3)], [interim(-1, 1)], []], 0.01)[0]
    assert (among.p_adjusted, among.verdict) == (pytest.approx(0.06), "undecided")


def test_the_first_interim_that_settles_stands():
    early = [interim(-0.001, 0.001), interim(0.1, 0.3, runs=3)]
    assert decide([early], 0.01)[0].verdict == "equivalent"
    late = [interim(0.1, 0.3), interim(-0.001, 0.001, runs=3)]
    assert decide([late], 0.01)[0].verdict == "better"


def test_what_was_undecided_early_can_win_late():
    [decision] = decide([[interim(-0.1, 0.3), interim(0.1, 0.2, runs=3)]], 0.01)
    assert (decision.verdict, decision.interim.runs) == ("better", 3)
