"""The versions of what decides a cell's result, as its key holds them."""

from voxbench import metrics
from voxbench.api import TaskCard
from voxbench.data.cache import PREPARED_VERSION
from voxbench.data.outside import outside_version
from voxbench.design.cell import DIRECT, Cell
from voxbench.pretrain import PRETRAINING_VERSION
from voxbench.records import SCHEMA

VERSIONS: dict[str, str | int] = {
    "record": SCHEMA,
    "metrics": metrics.METRICS_VERSION,
    "prepared": PREPARED_VERSION,
    "pretraining": PRETRAINING_VERSION,
}


def versions(cell: Cell, card: TaskCard) -> dict[str, str | int]:
    """Those of every cell, and of what lies outside a volume where that matters to this one."""
    schedules = () if cell.adaptation in DIRECT else (cell.recipe, cell.pretraining)
    return VERSIONS | outside_version(cell.contract or card.preprocessing, *schedules)
