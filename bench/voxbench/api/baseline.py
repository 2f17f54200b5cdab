"""A baseline: a network and a way to initialise it."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from voxbench.api.baseline_card import BaselineCard
from voxbench.api.task_card import TaskCard

if TYPE_CHECKING:
    from voxbench.model.backbones import Backbone


@dataclass(frozen=True, kw_only=True)
class Baseline(ABC):
    """A plugin: one way to initialise a network.

    A subclass is a frozen dataclass; its fields are the axes that a sweep may vary.

    Attributes:
        architecture: of the network, as `voxbench ls architectures` names it.
        size: width and depth of that architecture.
    """

    architecture: str = "unet"
    size: str = "small"

    card: ClassVar[BaselineCard]

    def backbone(self, in_channels: int) -> "Backbone":
        """The network that gives features, randomly initialised from torch's generator.

        By default `architecture` in this `size`; `voxbench ls architectures NAME` prints the names
        and shapes of its tensors. A baseline with a network of its own returns a
        `voxbench.toolkit.Backbone` and names as `twin` a baseline that has the same one.

        Args:
            in_channels: of the images (batch, in_channels, d, h, w).

        Raises:
            PluginError: unknown architecture, or one that is broken.
            SpecError: unknown size of it.
        """
        from voxbench.plugins import find_architecture

        return find_architecture(self.architecture).build(self.size, in_channels)

    @property
    def twin(self) -> tuple[str, Mapping[str, Any]] | None:
        """Name and axes of the scratch baseline with the same network; None for scratch itself."""
        return "scratch", {"architecture": self.architecture, "size": self.size}

    def unfit(self, task: TaskCard) -> str | None:
        """Say why this baseline can't be used on a task, or None if it can."""
        return None
