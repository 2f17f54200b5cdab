"""Half precision is refused where it would silently be another."""

import pytest
from voxbench.design.precision import check_precision
from voxbench.design.recipe import Pretraining, Recipe
from voxbench.errors import SpecError

from tests.running.conftest import example as example
from tests.running.conftest import make_sweep


@pytest.mark.parametrize("schedule", [Recipe(precision="16"), Pretraining(precision="16")])
def test_16_needs_a_gpu(schedule):
    check_precision(schedule, "cuda:0")
    with pytest.raises(SpecError, match='precision: "16" needs a GPU'):
        check_precision(schedule, "cpu")


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_others_run_anywhere(precision):
    check_precision(Recipe(precision=precision), "cpu")


def test_a_sweep_is_refused_before_anything_runs(example, tmp_path, monkeypatch):
    from voxbench.running.engines import pool
    from voxbench.running.sweep import run_sweep

    monkeypatch.setattr(pool, "_devices", lambda _count: ["cpu"])
    sweep = make_sweep(recipe={"steps": 4, "patch": [16, 16, 16], "precision": "16"})
    with pytest.raises(SpecError, match="needs a GPU"):
        run_sweep(sweep, tmp_path)
    assert not (tmp_path / "records").exists()
