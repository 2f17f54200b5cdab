"""Maps of uncertainty are kept where predictions are."""

import math

import pytest
from voxbench.data.doubt_map import doubt_path
from voxbench.data.label_map import read_label_map
from voxbench.records.uncertainty import UncertaintyRecords
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep

from tests.running.conftest import Notes, make_sweep

SHORT = {"steps": 2, "patch": [16, 16, 16], "augmentation": "none"}


def test_maps_of_test_cases_are_kept_with_their_predictions(example, tmp_path):
    sweep = make_sweep(seeds=1, recipe=SHORT, uncertainty={"models": ["softmax"]})
    run_sweep(sweep, tmp_path, Options(jobs=1, predictions=True), Notes())
    [record] = UncertaintyRecords(tmp_path)
    for case in record.test:
        most = math.log(1 + len(case.scored.classes))
        path = doubt_path(tmp_path, record.key, "predictive_entropy", case.scored.case)
        kept = most * read_label_map(path).array.mean() / 255
        mean = case.scores["predictive_entropy"]["image mean"]
        assert kept == pytest.approx(mean, abs=most / 510)
