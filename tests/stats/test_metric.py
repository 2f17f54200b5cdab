import pytest
from voxbench.errors import SpecError
from voxbench.stats.metric import METRICS, find_metric


def test_an_unknown_metric_gets_the_nearest_name():
    with pytest.raises(SpecError, match="Did you mean 'hd95_mm'"):
        find_metric("hd95")
    assert find_metric("dice") is METRICS["dice"]


def test_a_metric_is_labelled_with_its_unit():
    assert [metric.label for metric in METRICS.values()] == ["Dice", "NSD", "HD95 (mm)"]
