import numpy as np
import pytest
from voxbench.stats.trend import change_along


def test_the_change_is_that_of_a_line_in_log_amount():
    amounts = np.array([1.0, 10, 100])
    assert change_along(amounts, np.array([[0.1, 0.2, 0.3]])) == pytest.approx(0.2)
    assert change_along(amounts, np.array([[0.1, 0.4, 0.1]])) == pytest.approx(0.0)
