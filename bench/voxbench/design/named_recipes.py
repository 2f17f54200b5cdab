"""Recipes by name: what others state of their trainings, in the keys of a recipe.

Where a recipe here has no key for what they do, or they have no value for a key, the docstring says
so. What a name leaves open is the recipe's default; other keys of the sweep override it.
"""

from collections.abc import Callable
from typing import Any, Literal, get_args

Name = Literal["nnunet", "suprem", "light"]


def nnunet() -> dict[str, Any]:
    """nnU-Net's trainer, its 3d_fullres configuration.

    Isensee et al., Nature Methods 2021, and `nnUNetTrainer`, `DefaultExperimentPlanner` and
    `nnUNetPredictor` of github.com/MIC-DKFZ/nnUNet: 1000 epochs of 250 steps, SGD with Nesterov
    momentum 0.99, rate 0.01 falling as (1 − progress)^0.9, weight decay 3e-5, gradients clipped at
    12, Dice plus cross-entropy with deep supervision, its augmentation, the last weights, windows
    that overlap by half and are mirrored. Patch, batch and spacing are planned, see
    `design.plan`. A network whose decoder has no coarser maps needs `deep_supervision = false`.

    Different here: a third of the patches shows the foreground, where the trainer rounds a third
    of a batch of two up to one half; the rate falls step by step, not epoch by epoch; precision is
    32 unless the sweep says otherwise, where it trains in 16 on a GPU; kernels and strides, which
    its planner takes from the voxel size, are cubes unless the sweep says `anisotropic`.
    """
    return {
        "steps": 250_000,
        "batch": "plan",
        "patch": "plan",
        "spacing": "plan",
        "optimiser": "sgd",
        "momentum": 0.99,
        "learning_rate": 1e-2,
        "weight_decay": 3e-5,
        "warmup": 0.0,
        "schedule": "poly",
        "gradient_clip": 12.0,
        "augmentation": "full",
        "dummy_2d": True,
        "loss": "dice_ce",
        "deep_supervision": True,
        "foreground": 0.33,
        "selection": "last",
        "overlap": 0.5,
        "test_time_mirroring": True,
    }


def suprem() -> dict[str, Any]:
    """SuPreM's fine-tuning on TotalSegmentator.

    Li et al., ICLR 2024, and `target_applications/totalsegmentator` (`train.py`,
    `dataset/dataloader.py`) of github.com/MrGiovanni/SuPreM: AdamW at 1e-4 with weight decay 1e-5,
    linear warm-up in 20 of 201 epochs, then a cosine, batch 1, patches of 96³ at 1.5 mm, two thirds
    of them around the foreground, Dice plus cross-entropy, the weights that are best on the
    validation cases every 10 epochs (20 looks), windows that overlap by half.

    Different here: an epoch there is a pass over the training cases, so that steps grow with them;
    here they are the same at every fraction, and this name leaves them to the sweep. Its
    augmentation, turns by 90° (p 0.1) and shifts of intensity by up to 0.1 (p 0.2), has no name
    here: `light` is nearest, mirroring and a small change of scale and offset. Its window of
    [−250, 250] HU is the task's to say.
    """
    return {
        "batch": 1,
        "patch": (96, 96, 96),
        "spacing": (1.5, 1.5, 1.5),
        "optimiser": "adamw",
        "learning_rate": 1e-4,
        "weight_decay": 1e-5,
        "warmup": 20 / 201,
        "schedule": "cosine",
        "augmentation": "light",
        "loss": "dice_ce",
        "foreground": 2 / 3,
        "selection": "best",
        "validations": 20,
        "overlap": 0.5,
    }


def light() -> dict[str, Any]:
    """A small network on a processor: the recipe of the sweep real-small of `results/`.

    500 steps of two patches of 32³, AdamW at 0.005 with weight decay 1e-5, a tenth of the steps
    warm-up, then a cosine, light augmentation.
    """
    return {
        "steps": 500,
        "batch": 2,
        "patch": (32, 32, 32),
        "optimiser": "adamw",
        "learning_rate": 5e-3,
        "weight_decay": 1e-5,
        "warmup": 0.1,
        "schedule": "cosine",
        "augmentation": "light",
    }


NAMED: dict[str, Callable[[], dict[str, Any]]] = dict(
    zip(get_args(Name), (nnunet, suprem, light), strict=True)
)
