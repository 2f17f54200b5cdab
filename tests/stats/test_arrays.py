import numpy as np
import pytest
from voxbench.stats.arrays import defined, nanmean


def test_the_mean_of_nothing_is_undefined_without_a_warning():
    values = np.array([[np.nan, np.nan], [1.0, np.nan]])
    assert nanmean(values, axis=1) == pytest.approx([np.nan, 1.0], nan_ok=True)


def test_defined_values_are_counted_by_column():
    assert defined(np.array([[np.nan, 1.0], [np.nan, 2.0]])).tolist() == [0, 2]
