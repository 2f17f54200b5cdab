"""The contracts that a plugin's author sees: tasks, baselines, architectures and their cards.

What plugins build with is in `voxbench.toolkit`, the errors that they raise in `voxbench.errors`.
"""

from voxbench.api.architecture import Architecture
from voxbench.api.baseline import Baseline
from voxbench.api.baseline_card import BaselineCard, Checkpoint
from voxbench.api.case import Case
from voxbench.api.pretrained import Change, Pretrained, Settings, of_recipe
from voxbench.api.public import Archive, KnownError, PublicTask, Source
from voxbench.api.published import Published
from voxbench.api.task import Part, Task
from voxbench.api.task_card import IGNORED, TaskCard
from voxbench.design.preprocessing import Preprocessing, Rescale, Window, ZScore
from voxbench.fields import added

__all__ = [
    "IGNORED",
    "Architecture",
    "Archive",
    "Baseline",
    "BaselineCard",
    "Case",
    "Change",
    "Checkpoint",
    "KnownError",
    "Part",
    "Preprocessing",
    "Pretrained",
    "PublicTask",
    "Published",
    "Rescale",
    "Settings",
    "Source",
    "Task",
    "TaskCard",
    "Window",
    "ZScore",
    "added",
    "of_recipe",
]
