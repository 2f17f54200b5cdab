import builtins

import numpy as np
import pytest
from voxbench.errors import SpecError
from voxbench.stats.mixed import fit_mixed

from tests.analyses.ranks.boards import noisy


def test_effect_and_deviations_are_recovered():
    pytest.importorskip("statsmodels")
    tasks = [noisy(0.6, 0.5, seed=seed) + shift for seed, shift in enumerate((0, 0.3, -0.3, 0.1))]
    found = fit_mixed(tasks)
    assert found.effect == pytest.approx(0.1, abs=0.01)
    assert found.low < 0.1 < found.high
    assert found.deviation_patient == pytest.approx(0.1, abs=0.02)
    assert found.deviation_rest == pytest.approx(0.02, abs=0.003)
    assert found.deviation_task > 0.1
    assert found.p < 1e-6


def test_with_one_task_the_effect_is_the_paired_mean():
    pytest.importorskip("statsmodels")
    scores = noisy(0.6, 0.5)
    scores[1, 3] = np.nan
    found = fit_mixed([scores])
    assert found.effect == pytest.approx(0.1, abs=0.01)
    assert np.isnan(found.deviation_task)
    assert (found.scores, found.left_out) == (79, 1)


def test_warnings_of_the_fit_are_told():
    pytest.importorskip("statsmodels")
    found = fit_mixed([np.array([[0.5, 0.6, 0.5, 0.6], [0.6, 0.5, 0.6, 0.5]])])
    assert found.warnings


def test_without_statsmodels_the_way_out_is_told(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **named):
        if name.startswith("statsmodels"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(SpecError, match=r"pip install 'voxbench\[mixed\]'"):
        fit_mixed([noisy(0.6, 0.5)])
