import builtins

import numpy as np
import pytest
from voxbench.errors import SpecError
from voxbench.stats.mixed import mixed

from tests.analyses.ranks.boards import board, noisy


def test_effects_and_deviations_are_recovered():
    pytest.importorskip("statsmodels")
    tasks = [noisy(0.5, 0.6, seed=seed) + shift for seed, shift in enumerate((0, 0.3, -0.3, 0.1))]
    found = mixed(board(*tasks), "a")
    assert found.effects["b"].mean == pytest.approx(0.1, abs=0.01)
    assert found.effects["b"].low < 0.1 < found.effects["b"].high
    assert found.deviation_patient == pytest.approx(0.1, abs=0.02)
    assert found.deviation_rest == pytest.approx(0.02, abs=0.003)
    assert found.deviation_task > 0.1
    assert found.p["b"] < 1e-6


def test_with_one_task_the_effect_is_the_paired_mean():
    pytest.importorskip("statsmodels")
    scores = noisy(0.5, 0.6)
    scores[0, 3] = np.nan
    found = mixed(board(scores), "a")
    assert found.effects["b"].mean == pytest.approx(0.1, abs=0.01)
    assert np.isnan(found.deviation_task)
    assert (found.scores, found.left_out) == (79, 1)


def test_warnings_of_the_fit_are_told():
    pytest.importorskip("statsmodels")
    found = mixed(board(np.array([[0.5, 0.6, 0.5, 0.6], [0.6, 0.5, 0.6, 0.5]])), "a")
    assert found.warnings


def test_without_statsmodels_the_way_out_is_told(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **named):
        if name.startswith("statsmodels"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(SpecError, match=r"pip install 'voxbench\[mixed\]'"):
        mixed(board(noisy(0.5, 0.6)), "a")


def test_an_unknown_reference_is_refused():
    with pytest.raises(SpecError, match="not on this board"):
        mixed(board(noisy(0.5, 0.6)), "z")
