"""Weights of finished cells are kept where they are asked for, and their seeds averaged."""

import json

import numpy as np
import pytest
import torch
from voxbench.errors import WeightsError
from voxbench.predict.case import mean_dice
from voxbench.records import Store
from voxbench.records.kept import weights_path
from voxbench.running.bind import bind
from voxbench.running.ensemble import score_ensemble, seed_ensembles
from voxbench.running.estimate import weights_bytes
from voxbench.running.kept import load_kept
from voxbench.running.options import Options
from voxbench.running.plan import plan_cells
from voxbench.running.sweep import run_sweep

from tests.running.conftest import make_sweep

KEPT = Options(jobs=1, weights=True)


@pytest.fixture
def finished(example, tmp_path):
    sweep = make_sweep(seeds=2)
    return sweep, run_sweep(sweep, tmp_path, KEPT), tmp_path


def test_a_kept_network_predicts_what_its_record_says(finished):
    from voxbench.data.cell_data import load_cell_data
    from voxbench.predict.case import score_cases

    _, (one, _), root = finished
    network = load_kept(one.cell, root, "cpu")
    shared = one.cell.trainings
    data = load_cell_data(one.cell.cell, shared.dataset, shared.preprocessing)
    found = score_cases(network, data.test, data, one.cell.cell.recipe, "cpu")
    assert found == Store(root).read(one.key).cases
    assert weights_path(root, one.key).stat().st_size == pytest.approx(
        weights_bytes({one.cell.trainings: 1}), rel=0.1
    )


def test_a_finished_cell_without_weights_runs_again_and_says_the_same(example, tmp_path):
    sweep = make_sweep(seeds=1)
    (one,) = run_sweep(sweep, tmp_path, Options(jobs=1))
    before = Store(tmp_path).read(one.key)
    assert not weights_path(tmp_path, one.key).exists()
    run_sweep(sweep, tmp_path, KEPT)
    stamp = weights_path(tmp_path, one.key).stat().st_mtime_ns
    assert Store(tmp_path).read(one.key).cases == before.cases
    run_sweep(sweep, tmp_path, KEPT)
    assert weights_path(tmp_path, one.key).stat().st_mtime_ns == stamp


def test_seeds_are_averaged_once_and_kept_beside_the_records(finished):
    _, planned, root = finished
    (ensemble,) = seed_ensembles(planned, root)
    assert [cell.seed for cell in ensemble.cells] == [0, 1]
    scores = score_ensemble(ensemble, root, "cpu")
    assert [case.case for case in scores] == Store(root).read(planned[0].key).data.test
    told = json.loads(ensemble.path(root).read_text())
    assert told["keys"] == [one.key for one in planned]
    assert np.isfinite(mean_dice(scores))
    weights_path(root, planned[0].key).write_bytes(b"")
    assert score_ensemble(ensemble, root, "cpu") == scores


def test_damaged_weights_say_so(finished):
    _, (one, other), root = finished
    weights_path(root, one.key).write_bytes(b"\x08")
    with pytest.raises(WeightsError, match="damaged"):
        load_kept(one.cell, root, "cpu")
    weights_path(root, other.key).unlink()
    with pytest.raises(WeightsError, match="run the sweep with --keep-weights"):
        load_kept(other.cell, root, "cpu")
    assert seed_ensembles(plan_cells(bind(make_sweep(seeds=2)), root), root) == []


def test_kept_weights_are_plain_tensors_by_name(finished):
    from safetensors.torch import load_file

    _, (one, _), root = finished
    tensors = load_file(weights_path(root, one.key))
    assert {"head.weight", "head.bias"} < tensors.keys()
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())
