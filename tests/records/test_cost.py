"""What a cell took is counted in hours of a GPU, or of all cores that computed."""

import pytest
from voxbench.records.cost import compute_hours


@pytest.mark.parametrize(("device", "hours"), [("cpu", (0.0, 2.0)), ("cuda:0", (0.5, 0.0))])
def test_hours_are_those_of_the_gpu_or_of_all_cores(device, hours):
    assert compute_hours(1800, device, threads=4) == hours
