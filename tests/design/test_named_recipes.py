"""Named recipes hold what their paper or repository states; each number was looked up there."""

import tomllib
from pathlib import Path

import pytest
from voxbench.design.named_recipes import NAMED
from voxbench.design.recipe_table import RecipeTable


@pytest.mark.parametrize("name", NAMED)
def test_every_value_is_one_that_a_recipe_can_have(name):
    found = RecipeTable.model_validate(name)
    for key, value in NAMED[name]().items():
        assert (key in found.planned) if value == "plan" else (getattr(found, key) == value)


def test_nnunet_is_its_trainer():
    """`nnUNetTrainer.__init__`, `configure_optimizers` and `train_step`, `PolyLRScheduler`."""
    assert NAMED["nnunet"]() == {
        "steps": 1000 * 250, "batch": "plan", "patch": "plan", "spacing": "plan",
        "optimiser": "sgd", "momentum": 0.99, "learning_rate": 1e-2, "weight_decay": 3e-5,
        "warmup": 0.0, "schedule": "poly", "gradient_clip": 12.0, "augmentation": "full",
        "dummy_2d": True, "loss": "dice_ce", "deep_supervision": True, "foreground": 0.33,
        "selection": "last", "overlap": 0.5, "test_time_mirroring": True,
    }  # fmt: skip


def test_suprem_is_its_fine_tuning():
    """`train.py`'s defaults: 201 epochs, 20 of warm-up; `RandCropByPosNegLabeld(pos=2, neg=1)`."""
    assert NAMED["suprem"]() == {
        "batch": 1, "patch": (96, 96, 96), "spacing": (1.5, 1.5, 1.5), "optimiser": "adamw",
        "learning_rate": 1e-4, "weight_decay": 1e-5, "warmup": 20 / 201, "schedule": "cosine",
        "augmentation": "light", "loss": "dice_ce", "foreground": 2 / 3, "selection": "best",
        "validations": 20, "overlap": 0.5,
    }  # fmt: skip


def test_light_is_the_recipe_of_a_committed_sweep():
    own = {**NAMED["light"](), "patch": [32, 32, 32]}
    sweep = Path(__file__).parents[2] / "results" / "sweeps" / "real-small.toml"
    written = tomllib.loads(sweep.read_text())["recipe"]
    assert {key: own[key] for key in written} == written
    silent = own.keys() - written.keys()
    assert silent == {"batch", "optimiser", "weight_decay", "warmup", "schedule"}
