"""Drawings of doubt at the edges of what there is to draw."""

import math

from voxbench.analyses.groups import Where
from voxbench.analyses.uncertainty.findings import Findings
from voxbench.analyses.uncertainty.separation import Separation
from voxbench.reporting.figures.doubt import draw_doubt
from voxbench.stats.interval import UNDEFINED, Interval


def test_a_difference_of_a_single_patient_is_drawn_without_an_interval(tmp_path):
    where = Where("openkbp", "full", "3 shots", "0" * 6)
    raters = Interval(0.5, math.nan, math.nan)
    row = Separation(where, "scratch", "ensemble", raters, UNDEFINED, "undecided", "", 1)
    [drawn] = draw_doubt(Findings([], [], [], [], [row], []), tmp_path)
    assert all(path.is_file() for path in drawn.paths)
