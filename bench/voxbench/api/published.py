"""A baseline whose weights others have published."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from voxbench.api.baseline import Baseline
from voxbench.api.baseline_card import Checkpoint
from voxbench.api.task_card import TaskCard
from voxbench.errors import WeightsError
from voxbench.fields import added
from voxbench.files import noted_checksum
from voxbench.paths import data_root, expanded, published_dir

if TYPE_CHECKING:
    from torch import Tensor, nn

    from voxbench.model.backbones import Backbone


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
    """The published files by the values of `files_by`, with spaces between."""
    files_by: ClassVar[tuple[str, ...]] = ("size",)
    """The fields that tell the published files apart."""
    parts: ClassVar[tuple[str, ...]] = ("encoder", "decoder")
    """What of the network the files hold."""
    scales: ClassVar[Mapping[str, float]] = {}
    """What published tensors are multiplied by, where their images had another unit."""
    head_layer: ClassVar[str] = ""
    """The layer by which the published head is known; by default it is one convolution."""

    def file(self) -> Path:
        """Where the weights lie.

        Raises:
            WeightsError: they are not there; the message says how to get them.
        """
        if self.weights is not None:
            return data_root() / expanded(self.weights)
        path = published_dir() / self.checkpoint.file
        if not path.is_file():
            fields = " ".join(f"--field {name}={getattr(self, name)}" for name in self.files_by)
            raise WeightsError(
                f"{self.card.name}: its weights {path.name} are not here; "
                f"`voxbench weights get {self.card.name} {fields}` downloads them, "
                "or give `weights`, a file."
                if self.checkpoint.url
                else f"{self.card.name}: its weights {path.name} are not here; get them from "
                f"{self.checkpoint.page} and give `weights`, the file."
            )
        return path

    @property
    def variant(self) -> str:
        """Which of the published files is meant: the values of `files_by`."""
        return " ".join(str(getattr(self, name)) for name in self.files_by)

    @property
    def checkpoint(self) -> Checkpoint:
        """The published file of this variant.

        Raises:
            WeightsError: none is published.
        """
        if self.variant not in self.checkpoints:
            raise WeightsError(
                f"{self.card.name}: no weights are published for {' '.join(self.files_by)} "
                f"{self.variant!r} (there are: {', '.join(self.checkpoints) or 'none'}); give "
                "`weights`, a file."
            )
        return self.checkpoints[self.variant]

    @property
    def checksum(self) -> str | None:
        """What the file must have: as published, else as noted at its first download.

        None where the user brings it or none is known.
        """
        if self.weights is not None:
            return None
        return self.checkpoint.checksum or noted_checksum(published_dir() / self.checkpoint.file)

    def unfit(self, task: TaskCard) -> str | None:
        """A reason where the weights expect another number of channels."""
        expected, given = self.card.channels, len(task.channels)
        if expected not in {None, given}:
            return f"its weights expect {expected} channel(s), the task has {given}"
        return None

    def left_over(self, published: Mapping[str, "Tensor"]) -> tuple[str, ...]:
        """Patterns of the tensors that may find no place: the card's, unless the head is another.

        A file of the same network without `head_layer` may still be this one's, cut down; what it
        holds beside the network then is another's head.
        """
        own = not self.head_layer or f"{self.head_layer}.weight" in published
        return self.card.left_over if own else ()

    def rename(self, name: str) -> str:
        """What the network calls a published tensor, with or without its part."""
        return name

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """Give the published tensors the names and shapes of `backbone.state_dict()`.

        By default each goes, by the name that `rename` gives it, below the first of `parts` that
        has this name.

        `published` are the file's tensors under plain names, without wrapper and prefixes; what it
        held beside them is in its attribute `beside`.
        Encoder and decoder are translated, as far as they were published. Whatever has no
        counterpart keeps its name: the engine audits what share of the encoder the result covers,
        and refuses tensors without a place that `left_over` doesn't name.
        """
        state = backbone.state_dict()
        translated = {}
        for name, tensor in published.items():
            ours = self.rename(name)
            places = (f"{part}.{ours}" for part in self.parts)
            scaled = tensor * self.scales[name] if name in self.scales else tensor
            translated[next((place for place in places if place in state), ours)] = scaled
        return translated

    def head(self, published: Mapping[str, "Tensor"], backbone: "Backbone") -> "nn.Module":
        """The published head with its weights, for `direct` inference.

        Its `forward(features, maps)` gives logits `(batch, len(card.outputs), d, h, w)` from the
        backbone's features `(batch, out_channels, d, h, w)` and the encoder's maps, finest
        first. By default the convolution `head_layer`; needed only where the card has `outputs`.

        Raises:
            WeightsError: the file lacks it, or it gives another number of outputs.
        """
        if not self.head_layer:
            raise NotImplementedError(f"{self.card.name} has no head")
        from voxbench.model.heads import ConvolutionHead

        return ConvolutionHead.of(published, self.head_layer, self.card.outputs)
