"""A baseline: a network, where its weights come from, and how they are read."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from voxbench.api.fields import added
from voxbench.api.task import TaskCard
from voxbench.design.preprocessing import Preprocessing
from voxbench.errors import WeightsError
from voxbench.places import data_root, published_dir

if TYPE_CHECKING:
    from torch import Tensor, nn

    from voxbench.data.cache import PreparedCase
    from voxbench.model.backbones import Backbone


class Checkpoint(BaseModel):
    """A published weights file.

    Attributes:
        file: its name.
        url: where `voxbench weights get` finds it; None where a person must ask for it.
        page: where it is offered, with its terms.
        checksum: "sha256:…" or "md5:…", as its authors or the model's host state it; of a sha256
            the first eight digits are enough, which torchvision's file names tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(pattern=r"^\w[\w.-]*$")
    url: str | None = Field(default=None, pattern=r"^https?://")
    page: str = Field(pattern=r"^https?://")
    checksum: str | None = Field(
        default=None, pattern=r"^(sha256:[0-9a-f]{8}([0-9a-f]{56})?|md5:[0-9a-f]{32})$"
    )


class BaselineCard(BaseModel):
    """What a baseline is, validated when it is defined.

    Attributes:
        name: as it is written in a sweep.
        strategy: the family that tables group by.
        pretraining_data: corpora the weights have seen, as the ledger names them; empty for
            scratch and for weights that are made here (theirs are the source's).
        volumes: that the weights were pre-trained on, where that is known (images, if 2D).
        gpu_hours: of pre-training, where its authors tell.
        licence: of the weights.
        reference: whom to cite.
        contract: grid and intensity the weights expect; None takes the task's own. Its
            scratch twin is given the same one. A CT window becomes percentiles where the task is
            no CT.
        channels: of the images the weights expect; None takes any number.
        outputs: structures of the published head, in its order, for `direct` inference; empty
            where there is no head. With "background" among them they exclude one another
            (softmax), else each is decided alone (sigmoid).
        min_loaded: share of the encoder's parameters that must come from the weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    strategy: Literal["scratch", "imagenet", "self-supervised", "supervised", "control"]
    pretraining_data: tuple[str, ...] = ()
    volumes: int | None = Field(default=None, gt=0)
    gpu_hours: float | None = Field(default=None, ge=0)
    licence: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    contract: Preprocessing | None = None
    channels: int | None = Field(default=None, gt=0)
    outputs: tuple[str, ...] = ()
    min_loaded: float = Field(default=1.0, gt=0, le=1)


@dataclass(frozen=True, kw_only=True)
class Baseline(ABC):
    """A plugin: one way to initialise a network.

    A subclass is a frozen dataclass; its fields are the axes that a sweep may vary.

    Attributes:
        architecture: a name that `voxbench.model.backbones` knows.
        size: width and depth of that architecture.
    """

    architecture: str = "unet"
    size: str = "small"

    card: ClassVar[BaselineCard]

    def backbone(self, in_channels: int) -> "Backbone":
        """Build the network that gives features, randomly initialised."""
        from voxbench.model.backbones import build

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
    """A baseline whose weights are a file.

    Attributes:
        weights: a file to use, relative to the data root; None takes the downloaded one.
        decoder: load the published decoder too, where there is one; False takes the encoder alone.
    """

    weights: str | None = None
    decoder: bool = added(True)

    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {}
    """The published files by `size`."""

    def file(self) -> Path:
        """Where the weights lie.

        Raises:
            WeightsError: they are not there; the message says how to get them.
        """
        if self.weights is not None:
            return data_root() / Path(os.path.expandvars(self.weights)).expanduser()
        path = published_dir() / self.checkpoint.file
        if not path.is_file():
            raise WeightsError(
                f"{self.card.name}: its weights {path.name} are not here; "
                f"`voxbench weights get {self.card.name} --field size={self.size}` downloads them, "
                "or give `weights`, a file."
                if self.checkpoint.url
                else f"{self.card.name}: its weights {path.name} are not here; get them from "
                f"{self.checkpoint.page} and give `weights`, the file."
            )
        return path

    @property
    def checkpoint(self) -> Checkpoint:
        """The published file of this size.

        Raises:
            WeightsError: none is published.
        """
        if self.size not in self.checkpoints:
            sizes = ", ".join(self.checkpoints) or "none"
            raise WeightsError(
                f"{self.card.name}: no weights are published for size {self.size!r} (there are: "
                f"{sizes}); give `weights`, a file."
            )
        return self.checkpoints[self.size]

    @property
    def checksum(self) -> str | None:
        """What the file must have; None where the user brings it or none is known."""
        return self.checkpoint.checksum if self.weights is None else None

    def unfit(self, task: TaskCard) -> str | None:
        """A reason where the weights expect another number of channels."""
        expected, given = self.card.channels, len(task.channels)
        if expected not in {None, given}:
            return f"its weights expect {expected} channel(s), the task has {given}"
        return None

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """Give the published tensors the names and shapes of `backbone.state_dict()`.

        By default each goes below the part of the backbone, encoder or decoder, that has its name.

        `published` is what `voxbench.model.weights.read_weights` gives: plain names, without
        wrapper and prefixes; what the file held beside its tensors is in `published.beside`.
        Encoder and decoder are translated, as far as they were published; heads and whatever
        has no counterpart are left out, or for the audit to list. The engine loads the result and
        audits the share of the encoder that it covers.
        """
        from voxbench.model.names import placed

        return placed(published, backbone)

    def head(self, published: Mapping[str, "Tensor"], backbone: "Backbone") -> "nn.Module":
        """The published head with its weights, for `direct` inference.

        Its `forward(features, maps)` gives logits `(batch, len(card.outputs), d, h, w)` from the
        backbone's features `(batch, out_channels, d, h, w)` and the encoder's maps, finest
        first. Needed only where the card has `outputs`.
        """
        raise NotImplementedError(f"{self.card.name} has no head")


@dataclass(frozen=True, kw_only=True)
class Pretrained(Baseline):
    """A baseline whose weights are made here, once for each source and number of volumes.

    Attributes:
        source: a task, or a name of the sweep's `[sources]`; its training split is used.
        volumes: how many of its cases; None takes all.
        decoder: load the decoder too; False takes the encoder alone.
    """

    source: str = "phantom-atlas"
    volumes: int | None = None
    decoder: bool = added(True)

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
        source: TaskCard,  # noqa: ARG002 (overridden by who needs it)
        seed: int,  # noqa: ARG002
    ) -> "Mapping[str, Tensor]":
        """The weights to store, from those of the trained backbone or of the donor."""
        return tensors
