"""The versions of what decides a cell's result, as its key holds them."""

from voxbench import metrics
from voxbench.api import Baseline, Pretrained, TaskCard
from voxbench.data.augment import augmentation_version
from voxbench.data.cache import PREPARED_VERSION
from voxbench.data.outside import outside_version
from voxbench.design.cell import DIRECT, Cell
from voxbench.design.recipe import Recipe
from voxbench.pretrain import PRETRAINING_VERSION
from voxbench.pretrain.plan import find_donor
from voxbench.records import SCHEMA

VERSIONS: dict[str, str | int] = {
    "record": SCHEMA,
    "metrics": metrics.METRICS_VERSION,
    "prepared": PREPARED_VERSION,
    "pretraining": PRETRAINING_VERSION,
}
_STOCHASTIC_VERSION = 2  # of how a stochastic segmentation network is trained


def versions(cell: Cell, card: TaskCard, baseline: Baseline | None) -> dict[str, str | int]:
    """Those of every cell, and of what matters to this one: objective, training, outside.

    Args:
        cell: whose.
        card: of its task.
        baseline: of its arm; None where its weights are not made here.

    Raises:
        PluginError: the donor of its weights is not here.
    """
    own = versions_anywhere(cell, baseline)
    return own | outside_version(cell.contract or card.preprocessing)


def versions_anywhere(cell: Cell, baseline: Baseline | None) -> dict[str, str | int]:
    """Those that do not depend on the task's card, see `versions`."""
    objective = objective_version(baseline)
    recipe = None if cell.adaptation in DIRECT else cell.recipe
    augmentation = augmentation_version(recipe, cell.pretraining)
    return VERSIONS | augmentation | _stochastic_version(recipe) | objective


def _stochastic_version(recipe: Recipe | None) -> dict[str, int]:
    """That of the training of a stochastic segmentation network; nothing of others."""
    trained = recipe and recipe.stochastic == "ssn"
    return {"stochastic": _STOCHASTIC_VERSION} if trained else {}


def objective_version(baseline: Baseline | None) -> dict[str, str]:
    """That of what weights made here were trained for; nothing where it is the first.

    Raises:
        PluginError: the donor of the weights is not here.
    """
    objectives = []
    while isinstance(baseline, Pretrained):
        objectives.append(baseline.version)
        baseline = find_donor(baseline)
    changed = any(version > 1 for version in objectives)
    return {"objective": ".".join(map(str, objectives))} if changed else {}
