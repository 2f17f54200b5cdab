import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voxbench.data.fraction import draw_subset, unfit
from voxbench.data.split import split_cases
from voxbench.design.fraction import Fraction
from voxbench.errors import DataError

from tests.data.toy import named, toy

CLASSES = "abcdef"
DATA = st.lists(
    st.tuples(st.integers(0, 20), st.frozensets(st.sampled_from(CLASSES), max_size=3)),
    max_size=40,
).map(lambda rows: [*rows, *((owner, frozenset()) for owner in range(5))])


def made(rows):
    cases = [named(f"c{i:02}", f"p{owner}") for i, (owner, _) in enumerate(rows)]
    present = {case.id: classes for case, (_, classes) in zip(cases, rows, strict=True)}
    return split_cases(toy(None, cases)), present


def patients(cases):
    return {case.patient for case in cases}


def found(cases, present):
    return frozenset().union(*(present[case.id] for case in cases))


@settings(max_examples=40)
@given(DATA, st.integers(0, 5))
def test_fractions_of_a_seed_are_nested_and_whole_patients(rows, seed):
    split, present = made(rows)
    total = len(patients(split.train))
    before = None
    for count in range(1, total + 1):
        drawn = draw_subset(split, Fraction(shots=count), seed, present)
        assert len(patients(drawn.train)) == count
        assert patients(drawn.validation)
        for part in ("train", "validation"):
            chosen, whole = getattr(drawn, part), getattr(split, part)
            assert [c for c in whole if c.patient in patients(chosen)] == list(chosen)
            if before:
                assert set(getattr(before, part)) <= set(chosen)
        before = drawn
    assert (before.train, before.validation) == (split.train, split.validation)


@settings(max_examples=40)
@given(DATA, st.integers(0, 5))
def test_classes_appear_as_early_as_a_greedy_choice_can_make_them(rows, seed):
    split, present = made(rows)
    everything = found(split.train, present)
    covered = frozenset()
    for count in range(1, len(patients(split.train)) + 1):
        drawn = draw_subset(split, Fraction(shots=count), seed, present).train
        now = found(drawn, present)
        gains = [
            len(found([c for c in split.train if c.patient == p], present) - covered)
            for p in patients(split.train)
        ]
        assert len(now - covered) == max(gains)
        if now == everything:
            return
        covered = now


def test_a_published_list_that_shows_fewer_patients_than_its_name_says_is_none():
    split, _ = made([(i, frozenset("a")) for i in range(20)])
    [one, other, *_] = [case.id for case in split.train]
    split = split._replace(lists={"its-2": [one, other], "its-3": [one, other]})
    assert unfit(split, Fraction(shots=2, listed="its")) is None
    assert unfit(split, Fraction(shots=3, listed="its")) == "its-3: its cases show 2 patients"


def test_shares_are_shares_of_the_patients_and_validation_follows():
    split, present = made([(i, frozenset("a")) for i in range(100)])
    drawn = draw_subset(split, Fraction(share=0.1), 0, present)
    assert (len(drawn.train), len(drawn.validation)) == (7, 1)
    drawn = draw_subset(split, Fraction(share=0.5), 0, present)
    assert (len(drawn.train), len(drawn.validation)) == (35, 5)


def test_another_seed_draws_others_and_the_same_seed_the_same():
    split, present = made([(i, frozenset("a")) for i in range(40)])
    drawn = [draw_subset(split, Fraction(shots=5), seed, present).train for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_scans_of_one_person_are_drawn_together():
    split, present = made([(i // 2, frozenset("a")) for i in range(40)])
    assert len(draw_subset(split, Fraction(shots=3), 0, present).train) == 6


def test_more_shots_than_patients_is_a_reason_and_an_error():
    split, present = made([(i, frozenset("a")) for i in range(10)])
    assert unfit(split, Fraction(shots=7)) is None
    assert unfit(split, Fraction(shots=8)) == "8 shots of 7 training patients"
    with pytest.raises(DataError, match="8 shots of 7 training patients"):
        draw_subset(split, Fraction(shots=8), 0, present)
