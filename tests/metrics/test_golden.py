"""Volumes that a human can check by eye, drawn in `tests/golden/metrics/cases.toml`."""

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from voxbench.metrics import evaluate

FILE = Path(__file__).parent.parent / "golden/metrics/cases.toml"
CASES = tomllib.loads(FILE.read_text())["case"]


def drawn(planes, ndim):
    volume = np.array([[[c not in ".0" for c in row] for row in plane] for plane in planes])
    return volume.astype(np.uint8) if ndim == 3 else volume[0].astype(np.uint8)


@pytest.mark.parametrize(
    ("case", "mode"),
    [
        pytest.param(case, mode, id=f"{mode} – {case['name']}")
        for case in CASES
        for mode in ("surface", "voxel", "exact")
        if mode in case
    ],
)
def test_the_scores_are_the_ones_everyone_can_check(case, mode):
    ndim = len(case["spacing_mm"])
    score = evaluate(
        drawn(case["prediction"], ndim),
        drawn(case["reference"], ndim),
        {"it": 1},
        case["spacing_mm"],
        case["tolerance_mm"],
        "voxel" if mode == "voxel" else "surface",
        percentiles=[100],
        assd=True,
        exact=mode == "exact",
    )["it"]
    found = score._asdict() | {"hd100_mm": score.hd_mm[100]}
    for name, expected in ({"flag": ""} | case[mode]).items():
        if name == "flag":
            assert score.flag == expected
        elif math.isnan(expected):
            assert math.isnan(found[name]), name
        else:
            assert found[name] == pytest.approx(expected, rel=1e-6, abs=1e-12), name
