"""The versions that the key of a cell holds of what has changed since it was first counted.

A version is raised when a change gives other numbers. A key says nothing of what gives the same
numbers as before, so that the records of older ones are found.
"""

from voxbench.design.cell import Cell
from voxbench.design.preprocessing import Preprocessing, ZScore
from voxbench.design.recipe import MOVED, Pretraining, Recipe

AUGMENTATION_VERSION = 2
"""1: patches were moved within themselves, noise was √U(0, 0.1), blur and low resolution came
to every channel of a patch by itself and twice as often."""
OUTSIDE_VERSION = 2
"""1: prediction saw 0 outside a volume, a turned patch the minimum of the patch."""
STOCHASTIC_VERSION = 2
"""Of how a stochastic segmentation network is trained."""


def training_versions(cell: Cell) -> dict[str, int]:
    """Those of how a cell is trained, and of how its weights are made."""
    recipe = cell.recipe if cell.is_trained else None
    stochastic = recipe is not None and recipe.stochastic == "ssn"
    own = {"stochastic": STOCHASTIC_VERSION} if stochastic else {}
    return own | augmentation_version(recipe, cell.pretraining)


def augmentation_version(*schedules: Recipe | Pretraining | None) -> dict[str, int]:
    """`augmentation` → its version, where a training turns and scales its patches; else nothing."""
    changed = any(schedule and schedule.augmentation in MOVED for schedule in schedules)
    return {"augmentation": AUGMENTATION_VERSION} if changed else {}


def outside_version(predicted: Preprocessing) -> dict[str, int]:
    """`outside` → its version, where the version before gave other numbers; else nothing.

    A range from 0 had 0 around it before, in training too: the smallest value of a case is the end
    of the range, which every scan with some air around it reaches.

    Args:
        predicted: how the cases that are predicted are prepared.
    """
    rules = predicted.rules(1)
    from_zero = all(not isinstance(rule, ZScore) and rule.to[0] == 0 for rule in rules)
    return {} if from_zero else {"outside": OUTSIDE_VERSION}
