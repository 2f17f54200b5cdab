"""voxbench: which pre-training pays off in 3D medical segmentation.

What a notebook needs is here: `run`, `plan` and `report` a `Sweep`, `load_records` or
`load_scores` of it, `evaluate` two label maps; and the contracts that plugins fulfil, of
`voxbench.api`. The way of the data, folder by folder:

    sweep.toml ─ design ─▶ cells ─ running ─▶ one cell:
        plugins     task and baseline, by name          (tasks/, baselines/)
        data        prepare, split, fraction, patches
        pretrain    weights that are made here, once
        published   weights that others made: fetched, listed, matched
        ledger      what weights have seen, and whether the task tests on it
        model       backbone + weights, audited
        fit         one recipe for every arm
        predict     windows, back on the native grid
        metrics     Dice, NSD, HD95 per case and class
        records     one atomic JSON a cell
    records ─ analyses (by stats) ─▶ effects, ranks, curves ─ reporting ─▶ tables, figures, pages
"""

from typing import TYPE_CHECKING

from voxbench.lazy import lazily
from voxbench.verbs import load_records, load_scores, plan, report, run

__all__ = [
    "Architecture",
    "Baseline",
    "BaselineCard",
    "Case",
    "Checkpoint",
    "Part",
    "Preprocessing",
    "Pretrained",
    "Published",
    "Rescale",
    "Sweep",
    "Task",
    "TaskCard",
    "Window",
    "ZScore",
    "__version__",
    "added",
    "evaluate",
    "load_records",
    "load_scores",
    "plan",
    "report",
    "run",
]

if TYPE_CHECKING:
    from voxbench.api import (
        Architecture,
        Baseline,
        BaselineCard,
        Case,
        Checkpoint,
        Part,
        Preprocessing,
        Pretrained,
        Published,
        Rescale,
        Task,
        TaskCard,
        Window,
        ZScore,
        added,
    )
    from voxbench.design.spec import Sweep
    from voxbench.metrics import evaluate
    from voxbench.version import __version__
else:
    _homes = {
        "voxbench.api": __all__,  # all but these
        "voxbench.design.spec": ["Sweep"],
        "voxbench.metrics": ["evaluate"],
        "voxbench.version": ["__version__"],
    }
    __getattr__ = lazily(__name__, _homes)


def __dir__() -> list[str]:
    return __all__
