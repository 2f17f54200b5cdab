"""A baseline: a network and a way to initialise it."""

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from voxbench.api.architecture import ARCHITECTURES
from voxbench.api.baseline_card import BaselineCard
from voxbench.api.task_card import TaskCard
from voxbench.design.kernels import Spacing
from voxbench.errors import SpecError

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
        return ARCHITECTURES.find(self.architecture).build(self.size, in_channels)

    def network(self, in_channels: int, spacing_mm: Spacing | None = None) -> "Backbone":
        """The network for images of a voxel size; `backbone`, where that decides nothing.

        Args:
            in_channels: of the images.
            spacing_mm: what kernels and strides are decided by; None takes cubes.

        Raises:
            PluginError: as `backbone`.
            SpecError: as `backbone`, or the network has one form.
        """
        if spacing_mm is None:
            return self.backbone(in_channels)
        if type(self).backbone is not Baseline.backbone:
            raise SpecError(f"anisotropic: {self.card.name} has a network of its own, of one form.")
        return ARCHITECTURES.find(self.architecture).build(self.size, in_channels, spacing_mm)

    @property
    def twin(self) -> tuple[str, Mapping[str, Any]] | None:
        """Name and axes of the scratch baseline with the same network; None for scratch itself."""
        return "scratch", {"architecture": self.architecture, "size": self.size}

    def unfit(self, task: TaskCard) -> str | None:
        """Say why this baseline can't be used on a task, or None if it can."""
        return None
