import numpy as np
import pytest
from scipy import stats
from voxbench.stats.counts import patient_counts, run_counts, task_counts


def test_every_resample_has_as_many_patients_as_there_are():
    assert (patient_counts(7, 1, 0, 500).sum(axis=1) == 7).all()


def test_a_task_drawn_twice_has_its_patients_drawn_twice_as_often():
    times = task_counts(3, 500)[:, 1]
    assert set(times) >= {0, 1, 2}
    assert (patient_counts(7, 3, 1, 500).sum(axis=1) == 7 * times).all()


def test_patients_are_drawn_like_balls_with_replacement():
    counts = patient_counts(10, 1, 0, 20_000)
    seen = np.bincount(counts[:, 4].astype(int), minlength=8)[:5]
    expected = stats.binom.pmf(range(5), 10, 0.1) * 20_000
    assert (np.abs(seen - expected) < 4 * np.sqrt(expected)).all()
    assert np.corrcoef(counts[:, 0], counts[:, 1])[0, 1] == pytest.approx(-1 / 9, abs=0.03)


def test_counts_are_the_same_every_time_and_of_their_own_for_each_task():
    first = patient_counts(9, 2, 0, 100).copy()
    patient_counts.cache_clear()
    assert (patient_counts(9, 2, 0, 100) == first).all()
    assert (patient_counts(9, 2, 1, 100) != first).any()


def test_one_run_is_always_there():
    assert (run_counts((0,), 0, 10) == 1).all()
