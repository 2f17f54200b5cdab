"""The contracts that a plugin's author sees: Case, Task, Baseline and their cards."""

from voxbench.api.baseline import Baseline, BaselineCard, Checkpoint, Pretrained, Published
from voxbench.api.case import Case
from voxbench.api.fields import added
from voxbench.api.task import Part, Task, TaskCard
from voxbench.design.preprocessing import Preprocessing, Rescale, Window, ZScore

__all__ = [
    "Baseline",
    "BaselineCard",
    "Case",
    "Checkpoint",
    "Part",
    "Preprocessing",
    "Pretrained",
    "Published",
    "Rescale",
    "Task",
    "TaskCard",
    "Window",
    "ZScore",
    "added",
]
