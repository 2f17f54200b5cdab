"""A cell, and the weights it begins with, are trained on several devices with the same result."""

import pytest
from voxbench.records import Store
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep

from tests.running.conftest import make_sweep

ARMS = [{"name": "masked-autoencoder", "size": "tiny", "source": "cubes", "volumes": 3}]


def made(root, monkeypatch, **computed):
    """The records of a sweep whose every training is computed so."""
    monkeypatch.setenv("VOXBENCH_CACHE", str(root / "cache"))
    schedule = {"steps": 4, "patch": [16, 16, 16], "augmentation": "none", "optimiser": "sgd"}
    schedule |= {"gradient_clip": 1.0, **computed}
    sweep = make_sweep(baselines=ARMS, seeds=1, recipe=schedule, pretraining=schedule)
    run_sweep(sweep, root, Options(jobs=1))
    return {record.key: record for record in Store(root)}


@pytest.mark.slow
def test_two_devices_give_the_records_of_one(example, tmp_path, monkeypatch):
    one = made(tmp_path / "one", monkeypatch)
    two = made(tmp_path / "two", monkeypatch, devices=2)
    assert one.keys() == two.keys()
    for key, record in one.items():
        other = two[key]
        assert (record.status, other.status) == ("ok", "ok"), (record.failure, other.failure)
        assert list(other.training.values()) == pytest.approx(
            list(record.training.values()), abs=1e-5
        )
        assert other.environment["devices"] == other.cell["recipe"]["devices"] == 2
        assert "devices" not in record.environment
        for case, same in zip(record.cases, other.cases, strict=True):
            assert same.classes.keys() == case.classes.keys()
            for name, scores in case.classes.items():
                assert same.classes[name].dice == pytest.approx(scores.dice, abs=0.02, nan_ok=True)
