"""A fraction is a share or a number of patients."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.design.fraction import Fraction


def test_a_share_is_rounded_up_to_whole_patients():
    assert Fraction.parse(0.1).count(35) == 4
    assert Fraction.parse(0.01).count(5) == 1
    assert Fraction.parse(1.0).count(7) == 7
    assert Fraction.parse(0.07).count(100) == 7


def test_shots_are_counts():
    assert Fraction.parse("5 shots").count(100) == 5
    assert str(Fraction.parse("1 shot")) == "1 shot"


@pytest.mark.parametrize("value", [0, -0.1, 1.01, True, "0 shots", "many", None, "120%", [1]])
def test_what_is_neither_is_refused(value):
    with pytest.raises(ValueError, match="neither a share"):
        Fraction.parse(value)


@given(st.floats(1e-6, 1), st.floats(1e-6, 1), st.integers(1, 5000))
def test_a_larger_share_is_never_fewer_patients(a, b, patients):
    low, high = sorted([Fraction(share=a), Fraction(share=b)], key=lambda f: f.share)
    assert 1 <= low.count(patients) <= high.count(patients) <= patients
