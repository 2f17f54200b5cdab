"""A baseline whose weights are made here."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from voxbench.api.baseline import Baseline
from voxbench.api.fields import added
from voxbench.api.task_card import TaskCard

if TYPE_CHECKING:
    from torch import Tensor, nn

    from voxbench.data.cache import PreparedCase
    from voxbench.model.backbones import Backbone


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
        """Name and axes of the baseline whose weights this one changes; None trains `objective`."""
        return None

    def annotated(
        self, cases: "Sequence[PreparedCase]", source: TaskCard, seed: int
    ) -> "Sequence[PreparedCase]":
        """The cases with the annotation that is trained on; as they are, unless overridden."""
        return cases

    def finish(
        self, tensors: "Mapping[str, Tensor]", source: TaskCard, seed: int
    ) -> "Mapping[str, Tensor]":
        """The weights to store, from those of the trained backbone or of the donor."""
        return tensors
