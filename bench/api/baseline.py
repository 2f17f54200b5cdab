"""A baseline: a network, where its weights come from, and how they are read."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.api.task import TaskCard
from bench.design.preprocessing import Preprocessing

if TYPE_CHECKING:
    from torch import Tensor, nn

    from bench.data.prepare import PreparedCase
    from bench.model.backbones import Backbone


class BaselineCard(BaseModel):
    """What a baseline is, validated when it is defined.

    Attributes:
        name: as it is written in a sweep.
        strategy: the family that tables group by.
        pretraining_data: corpora the weights have seen; empty for scratch and for weights
            that are made here (theirs are the source's).
        sha256: of the published file; None where weights are made here or the user brings them.
        licence: of the weights.
        reference: whom to cite.
        contract: grid and intensity the weights expect; None takes the task's own. Its
            scratch twin is given the same one.
        min_loaded: share of the encoder's parameters that must come from the weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    strategy: Literal["scratch", "imagenet", "self-supervised", "supervised", "control"]
    pretraining_data: tuple[str, ...] = ()
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    licence: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    contract: Preprocessing | None = None
    min_loaded: float = Field(default=0.9, gt=0, le=1)


@dataclass(frozen=True, kw_only=True)
class Baseline(ABC):
    """A plugin: one way to initialise a network.

    A subclass is a frozen dataclass; its fields are the axes that a sweep may vary.

    Attributes:
        architecture: a name that `bench.model.backbones` knows.
        size: width and depth of that architecture.
    """

    architecture: str = "unet"
    size: str = "small"

    card: ClassVar[BaselineCard]

    def backbone(self, in_channels: int) -> "Backbone":
        """Build the network that gives features, randomly initialised."""
        from bench.model.backbones import build

        return build(self.architecture, self.size, in_channels)

    @property
    def twin(self) -> tuple[str, Mapping[str, Any]] | None:
        """The scratch baseline with the same network: name and axes. None for scratch itself."""
        return "scratch", {"architecture": self.architecture, "size": self.size}

    def unfit(self, task: TaskCard) -> str | None:  # noqa: ARG002 (overridden by who needs it)
        """Say why this baseline can't be used on a task, or None if it can."""
        return None


@dataclass(frozen=True, kw_only=True)
class Published(Baseline):
    """A baseline whose weights are a file."""

    @abstractmethod
    def file(self) -> Path:
        """Where the weights lie.

        Raises:
            WeightsError: they are not there; the message says how to get them.
        """

    @abstractmethod
    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """Give the published tensors the names and shapes of `backbone.state_dict()`.

        Heads and whatever has no counterpart are left out. The engine loads the result and
        audits the share of the encoder that it covers.
        """


@dataclass(frozen=True, kw_only=True)
class Pretrained(Baseline):
    """A baseline whose weights are made here, once for each source and number of volumes.

    Attributes:
        source: a task, or a name of the sweep's `[sources]`; its training split is used.
        volumes: how many of its cases; None takes all.
    """

    source: str = "phantom-atlas"
    volumes: int | None = None

    needs_labels: ClassVar[bool]

    @abstractmethod
    def objective(self, backbone: "Backbone", source: TaskCard) -> "nn.Module":
        """Wrap the backbone in what is trained on the source.

        The module's `forward(images, labels, labelled)` returns a scalar loss, from images
        `(batch, channel, d, h, w)` float32, labels `(batch, d, h, w)` int64 and labelled
        `(batch, class)` bool, which classes were annotated in each case (in the order of the
        card). It draws random numbers from torch's generator, which the engine seeds.
        """

    @property
    def donor(self) -> tuple[str, Mapping[str, Any]] | None:
        """The baseline whose weights this one changes: name and axes. None trains `objective`."""
        return None

    def annotated(
        self,
        cases: "Sequence[PreparedCase]",
        source: TaskCard,  # noqa: ARG002 (overridden by who needs it)
        seed: int,  # noqa: ARG002
    ) -> "Sequence[PreparedCase]":
        """The cases with the annotation that is trained on; as they are, unless overridden."""
        return cases

    def finish(
        self,
        tensors: "Mapping[str, Tensor]",
        seed: int,  # noqa: ARG002 (overridden by who needs it)
    ) -> "Mapping[str, Tensor]":
        """The weights to store, from those of the trained backbone or of the donor."""
        return tensors
