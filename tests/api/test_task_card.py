"""A card says which label values a network tells apart, and which of them make up each class."""

import pytest

from tests.data.toy import card

TUMOUR = {"whole": (1, 2, 4), "core": (1, 4), "enhancing": 4}


def described(classes, **more):
    return card(classes=classes, tolerance_mm=dict.fromkeys(classes, 1.0), **more)


def test_classes_that_exclude_one_another_are_told_apart_in_their_order():
    plain = described({"box": 4, "ball": 1})
    assert plain.parts == {"box": 4, "ball": 1}
    assert plain.indices == {"box": 1, "ball": 2}


def test_the_parts_of_regions_are_their_label_values():
    one = described(TUMOUR, ignore=9)
    assert one.parts == {"label 1": 1, "label 2": 2, "enhancing": 4}
    assert one.indices == {"whole": (1, 2, 3), "core": (1, 3), "enhancing": 3}


def test_a_copy_with_other_classes_derives_its_own_and_is_checked_again():
    one = described(TUMOUR)
    assert (one.has_regions, len(one.parts)) == (True, 3)
    plain = one.model_copy(update={"classes": {"box": 4}, "tolerance_mm": {"box": 1.0}})
    assert (plain.has_regions, plain.parts, plain.indices) == (False, {"box": 4}, {"box": 1})
    with pytest.raises(ValueError, match="tolerance_mm must name every class"):
        one.model_copy(update={"classes": {"box": 4}})


@pytest.mark.parametrize(
    ("classes", "ignore", "rule"),
    [
        ({"a": 1, "b": 1}, None, "distinct label values"),
        ({"a": (1, 2), "b": (2, 1)}, None, "distinct label values"),
        ({"a": ()}, None, "at least one label value"),
        ({"a": (0, 1)}, None, "distinct label values from 1"),
        ({"a": 1}, 1, "that no class has"),
        ({"a": 1}, 65536, "up to 65535"),
        ({"a": 1}, 0, "from 1"),
    ],
)
def test_what_can_t_be_told_apart_is_refused(classes, ignore, rule):
    with pytest.raises(ValueError, match=rule):
        described(classes, ignore=ignore)
