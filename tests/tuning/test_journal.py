"""Every arm is asked the same; whoever is killed when, a trial counts once."""

import json

import pytest
from voxbench.tuning.journal import Journal

from tests.tuning.trials import RATE, record, score, tuning


def study(path, count=12, known=None, **changes):
    """Run trials one after the other, each a journal of its own, as processes have."""
    known = [] if known is None else known
    for number in range(len(known), count):
        trial = Journal(path, tuning(**changes), 10).ask(number, known)
        known.append(record(number, trial.values))
        Journal(path, tuning(**changes), 10).tell(known[-1])
    return [one.values for one in known]


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_study_run_again_tries_the_same(tmp_path, sampler):
    one, other = (study(tmp_path / name, sampler=sampler) for name in ("a", "b"))
    assert one == other
    assert one != study(tmp_path / "c", sampler=sampler, seed=1)


def test_random_asks_the_same_whatever_was_scored(tmp_path):
    values = study(tmp_path / "a", sampler="random")
    bad = [record(i, own, score=0.0) for i, own in enumerate(values[:6])]
    assert study(tmp_path / "b", sampler="random", known=bad) == values


def test_tpe_comes_nearer_to_the_best_than_random(tmp_path):
    learnt = study(tmp_path / "a", 24, sampler="tpe")
    drawn = study(tmp_path / "b", 24, sampler="random")
    late = [sum(map(score, values[12:])) for values in (learnt, drawn)]
    assert late[0] > late[1]


def test_a_grid_tries_every_point_once(tmp_path):
    space = {RATE: [0.1, 0.01, 0.001], "adaptation": ["full", "frozen"]}
    values = study(tmp_path / "a", 6, sampler="grid", space=space, trials=6)
    assert values == tuning(sampler="grid", space=space, trials=6).grid()
    assert len({tuple(own.items()) for own in values}) == 6


def test_a_trial_that_was_killed_is_asked_the_same_again(tmp_path):
    path = tmp_path / "a"
    known = []
    study(path, 11, known)
    asked = Journal(path, tuning(), 10).ask(11, known).values
    assert Journal(path, tuning(), 10).ask(11, known).values == asked
    assert asked == study(tmp_path / "b")[11]
    assert len(_trials(path)) == 12


def test_a_kill_between_record_and_journal_is_made_up_for(tmp_path):
    path, known = tmp_path / "a", []
    for number in range(12):  # the journal is never told
        known.append(record(number, Journal(path, tuning(), 10).ask(number, known).values))
    assert [one.values for one in known] == study(tmp_path / "b")


@pytest.mark.parametrize("damage", ["lost", "torn", "cut"])
def test_a_journal_that_is_lost_or_torn_is_made_again_of_the_records(tmp_path, damage):
    path, known = tmp_path / "a", []
    study(path, 11, known)
    if damage == "lost":
        path.unlink()
    elif damage == "torn":
        path.write_bytes(path.read_bytes() + b'{"op_c\n{"op_code": 1}\n')
    else:
        path.write_bytes(path.read_bytes()[:-3] + b'\n{"op_code": 1}\n')
    study(path, 12, known)
    assert [one.values for one in known] == study(tmp_path / "b")
    assert len(_trials(path)) == 12


def test_trials_that_run_at_once_have_numbers_of_their_own(tmp_path):
    path = tmp_path / "a"
    later, sooner = (Journal(path, tuning(), 10).ask(number, []) for number in (2, 0))
    assert len(_trials(path)) == 3
    assert sooner.values == study(tmp_path / "b", 1)[0]
    assert later.values != sooner.values


def test_the_pruner_stops_what_scores_below_the_median_of_earlier_trials(tmp_path):
    path, known, stopped = tmp_path / "a", [], []
    for number, seen in enumerate([0.5, 0.6, 0.7, 0.8, 0.9, 0.6, 0.8]):
        journal = Journal(path, tuning(pruner="median"), 10)
        trial = journal.ask(number, known)
        stopped.append(trial.hopeless(1, seen))
        state = "pruned" if stopped[-1] else "complete"
        known.append(record(number, trial.values, curve=trial.curve, state=state, score=seen))
        journal.tell(known[-1])
    assert stopped == [False] * 5 + [True, False]


def test_hyperband_stops_some_and_every_arm_by_the_same_rule(tmp_path):
    def stops(path):
        known, found = [], []
        for number in range(12):
            journal = Journal(path, tuning(pruner="hyperband", sampler="random"), 9)
            trial = journal.ask(number, known)
            looks = [trial.hopeless(look, score(trial.values)) for look in range(1, 10)]
            found.append(looks.index(True) if True in looks else None)
            state = "complete" if found[-1] is None else "pruned"
            known.append(record(number, trial.values, curve=trial.curve, state=state))
            journal.tell(known[-1])
        return found

    one = stops(tmp_path / "a")
    assert one == stops(tmp_path / "b")
    assert any(stop is not None for stop in one)
    assert any(stop is None for stop in one)


def test_folds_that_are_done_are_kept(tmp_path):
    journal = Journal(tmp_path / "a", tuning(), 10)
    journal.ask(0, []).keep(1, {"state": "complete", "scores": {"p": 0.5}})
    assert journal.ask(0, []).kept(0) is None
    assert journal.ask(0, []).kept(1) == {"state": "complete", "scores": {"p": 0.5}}


def _trials(path):
    """The numbers of the trials that the journal was asked for."""
    return [line for line in path.read_text().splitlines() if json.loads(line)["op_code"] == 4]
