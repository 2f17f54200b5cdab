import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.reporting.names import slug

names = st.text(max_size=120)


@given(names)
def test_any_text_gives_a_name_that_stays_in_its_folder(text):
    assert re.fullmatch(r"[a-z0-9_][a-z0-9._-]{0,88}", slug(text))


@given(names, names)
def test_two_texts_never_share_a_name(one, other):
    assert (slug(one) == slug(other)) == (one == other)


def test_names_that_are_safe_stay_as_they_are():
    assert slug("curve-msd-hippocampus-77549b-hd95_mm") == "curve-msd-hippocampus-77549b-hd95_mm"


@pytest.mark.parametrize("text", ["", "..", "../../etc", "A", "a b", "a" * 200, "a-0123abcd"])
def test_all_others_get_a_digest(text):
    assert re.search(r"-[0-9a-f]{8}$", slug(text))
    assert slug(slug(text)) != slug(text)
