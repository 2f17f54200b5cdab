"""The versions of what decides a cell's result, as its key holds them."""

from voxbench import metrics
from voxbench.api import Baseline, Pretrained, TaskCard
from voxbench.data.augment import augmentation_version
from voxbench.data.cache import PREPARED_VERSION
from voxbench.data.outside import outside_version
from voxbench.design.cell import DIRECT, Cell
from voxbench.plugins import find_baseline
from voxbench.pretrain import PRETRAINING_VERSION
from voxbench.pretrain.plan import find_donor
from voxbench.records import SCHEMA

VERSIONS: dict[str, str | int] = {
    "record": SCHEMA,
    "metrics": metrics.METRICS_VERSION,
    "prepared": PREPARED_VERSION,
    "pretraining": PRETRAINING_VERSION,
}


def versions(cell: Cell, card: TaskCard) -> dict[str, str | int]:
    """Those of every cell, and of what matters to this one: outside, augmentation, objective.

    Raises:
        PluginError: the arm, or the donor of its weights, is not here.
    """
    return versions_anywhere(cell) | outside_version(cell.contract or card.preprocessing)


def versions_anywhere(cell: Cell) -> dict[str, str | int]:
    """Those that do not depend on the task's card.

    Raises:
        PluginError: the arm, or the donor of its weights, is not here.
    """
    schedules = () if cell.adaptation in DIRECT else (cell.recipe, cell.pretraining)
    return VERSIONS | augmentation_version(*schedules) | objective_version(cell)


def objective_version(cell: Cell) -> dict[str, str]:
    """That of what weights made here were trained for; nothing where it is the first.

    Raises:
        PluginError: the arm, or the donor of its weights, is not here.
    """
    if cell.source is None:
        return {}
    found: Baseline | None = find_baseline(cell.baseline)
    objectives = []
    while isinstance(found, Pretrained):
        objectives.append(found.version)
        found = find_donor(found)
    changed = any(version > 1 for version in objectives)
    return {"objective": ".".join(map(str, objectives))} if changed else {}
