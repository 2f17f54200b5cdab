"""Trials that take no time: their score is a function of what they try."""

import math

from voxbench.design.tuning import Tuning
from voxbench.records.record import Arm
from voxbench.records.trials import TrialRecord

RATE = "recipe.learning_rate"
SPACE = {RATE: {"low": 1e-4, "high": 1e-1, "log": True}, "adaptation": ["full", "frozen"]}
ARM = Arm(
    task="cubes", baseline="scratch", twin=None, strategy="scratch", network="unet-tiny",
    fraction="100%", draw=0, seed=0, adaptation="tuned",
)  # fmt: skip


def tuning(**changes) -> Tuning:
    return Tuning.model_validate({"trials": 12, "space": SPACE, **changes})


def score(values) -> float:
    """The best at a learning rate of 0.01."""
    return 1 - abs(math.log10(float(values[RATE])) + 2) / 4


def record(number: int, values, **changes) -> TrialRecord:
    told = {
        "study": "s", "budget": 12, "smoke": False, "sweep": "x", "arm": ARM, "cell": {},
        "tuning": tuning().told, "environment": {}, "score": score(values), **changes,
    }  # fmt: skip
    return TrialRecord(number=number, values=dict(values), **told)
