"""Random streams are named, and independent of what they do not depend on."""

from voxbench.design.cell import Ref
from voxbench.design.fraction import Fraction
from voxbench.design.seeds import stream, streams

from tests.design.test_cell import CELL, changed


def test_the_order_of_axes_does_not_matter():
    assert stream("order", seed=1, draw=2) == stream("order", draw=2, seed=1)


def test_streams_differ_by_name_and_by_axis():
    assert len({stream("a", seed=0), stream("b", seed=0), stream("a", seed=1)}) == 3


def test_every_arm_and_seed_of_a_draw_sees_the_same_cases():
    other = changed(baseline=Ref("c"), seed=5, fraction=Fraction(share=1.0))
    assert streams(other)["subset"] == streams(CELL)["subset"]
    assert streams(changed(draw=1))["subset"] != streams(CELL)["subset"]


def test_arms_share_the_order_of_patches():
    assert streams(changed(baseline=Ref("c")))["order"] == streams(CELL)["order"]
    assert streams(changed(seed=1))["order"] != streams(CELL)["order"]
