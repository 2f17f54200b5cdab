"""A baseline whose weights are made here."""

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from voxbench.api.baseline import Baseline
from voxbench.api.task_card import TaskCard
from voxbench.design.recipe import Pretraining
from voxbench.fields import added

if TYPE_CHECKING:
    from torch import Tensor, nn

    from voxbench.data.cache import PreparedCase
    from voxbench.model.backbones import Backbone
    from voxbench.pretrain.objective import Objective

Change = Literal["mirror", "rotation", "scaling", "intensity"]
"""What the augmentation that all arms share may do to a patch."""


class Settings(NamedTuple):
    """The values of a recipe of pre-training.

    Attributes:
        options: of the baseline's fields that are `of_recipe`.
        schedule: keys of `[pretraining]` that it overrides; what a sweep says of this baseline
            alone goes before it.
    """

    options: Mapping[str, Any] = {}
    schedule: Mapping[str, Any] = {}


def of_recipe() -> Any:
    """A dataclass field of a `Pretrained` that has the value of its `recipe` unless it is set."""
    return field(default=None, metadata={"added": True, "of_recipe": True})


@dataclass(frozen=True, kw_only=True)
class Pretrained(Baseline):
    """A baseline whose weights are made here, once for each source and number of volumes.

    Attributes:
        source: a task, or a name of the sweep's `[sources]`; its training split is used.
        volumes: how many of its cases; None takes all.
        decoder: load the decoder too; False takes the encoder alone.
        recipe: settings by name: "small", or "published" where the authors' are known.
    """

    source: str = "phantom-atlas"
    volumes: int | None = None
    decoder: bool = added(True)
    recipe: str = added("small")

    needs_labels: ClassVar[bool]
    version: ClassVar[int] = 1
    """Of the objective; to be raised where the same fields make other weights."""
    divisible: ClassVar[bool] = False
    """Whether the loss of a batch is the mean of that of its parts, and what is drawn for a patch
    does not depend on them (`Share`), so that `devices` and `micro_batch` change no result."""
    recipes: ClassVar[Mapping[str, Settings]] = {"small": Settings()}
    """Settings by name."""
    parts: ClassVar[tuple[str, ...]] = ("encoder", "decoder")
    """What of the network the objective trains; the rest is not stored."""

    def __post_init__(self) -> None:
        """Fill what is left to the recipe; a subclass calls it before it checks its fields."""
        if self.recipe not in self.recipes:
            known = ", ".join(self.recipes)
            raise ValueError(f"recipe must be one of {known}, got {self.recipe!r}")
        options = self.recipes[self.recipe].options
        for one in dataclasses.fields(self):
            if one.metadata.get("of_recipe") and getattr(self, one.name) is None:
                object.__setattr__(self, one.name, options[one.name])

    @property
    def schedule(self) -> Mapping[str, Any]:
        """Keys of `[pretraining]` that its recipe overrides."""
        return self.recipes[self.recipe].schedule

    @property
    def forbids(self) -> frozenset[Change]:
        """What of the shared augmentation spoils the target, or is brought by the objective."""
        return frozenset()

    def unfit_schedule(self, schedule: Pretraining) -> str | None:
        """Say why this schedule can't train the objective, or None if it can."""
        return None

    @abstractmethod
    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """What the backbone is trained for on a source, a `voxbench.toolkit.Objective`."""

    @property
    def donor(self) -> tuple[str, Mapping[str, Any]] | None:
        """Name and axes of the baseline whose weights this one changes; None trains `objective`."""
        return None

    def annotated(
        self, cases: "Sequence[PreparedCase]", source: TaskCard, seed: int
    ) -> "Sequence[PreparedCase]":
        """The cases with the annotation that is trained on; as they are, unless overridden."""
        return cases

    def outputs(self, source: TaskCard, seed: int) -> tuple[str, ...]:
        """The structures of a source that `head` gives; none where it can't segment."""
        return ()

    def head(self, trained: "Mapping[str, Tensor]", source: TaskCard, seed: int) -> "nn.Module":
        """The segmentation that was trained beside the backbone, for `direct` inference.

        Its `forward(features, maps)` gives logits `(batch, outputs, d, h, w)`, as that of
        `Published.head`. Needed only where there are `outputs`.

        Args:
            trained: the objective's own tensors by the names of its `state_dict()`, without the
                backbone's.
            source: what was trained on.
            seed: of the pre-training.
        """
        raise NotImplementedError(f"{self.card.name} has no head")

    def finish(
        self, tensors: "Mapping[str, Tensor]", source: TaskCard, seed: int
    ) -> "Mapping[str, Tensor]":
        """The weights to store, from those of the trained backbone or of the donor.

        By default those of `parts`.
        """
        return {
            name: tensor for name, tensor in tensors.items() if name.partition(".")[0] in self.parts
        }
