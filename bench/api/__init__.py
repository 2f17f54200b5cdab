"""The contracts that a plugin's author sees: Case, Task, Baseline and their cards."""

from bench.api.baseline import Baseline, BaselineCard, Checkpoint, Pretrained, Published
from bench.api.case import Case
from bench.api.fields import added
from bench.api.task import Split, Task, TaskCard
from bench.design.preprocessing import Preprocessing, Rescale, Window, ZScore

__all__ = [
    "Baseline",
    "BaselineCard",
    "Case",
    "Checkpoint",
    "Preprocessing",
    "Pretrained",
    "Published",
    "Rescale",
    "Split",
    "Task",
    "TaskCard",
    "Window",
    "ZScore",
    "added",
]
