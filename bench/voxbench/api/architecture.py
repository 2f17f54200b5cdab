"""An architecture: a network in several sizes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from voxbench.errors import SpecError, unknown

if TYPE_CHECKING:
    from voxbench.model.backbones import Backbone

S = TypeVar("S")


@dataclass(frozen=True)
class Architecture(Generic[S]):
    """A plugin: one way to wire a network, and the sizes that it comes in.

    Attributes:
        name: as it is written in a sweep.
        sizes: name → what `network` makes one of that size from, the smallest first.
        network: (size, in_channels) → a backbone, randomly initialised from torch's generator. Its
            tensors keep their names for good: published and stored weights are found by them.
    """

    name: str
    sizes: Mapping[str, S]
    network: "Callable[[S, int], Backbone]"

    def build(self, size: str, in_channels: int) -> "Backbone":
        """A randomly initialised backbone.

        Args:
            size: one of `sizes`.
            in_channels: channels of the images.

        Raises:
            SpecError: unknown size; names the nearest and all.
        """
        if size not in self.sizes:
            raise SpecError(unknown(f"size of {self.name}", size, self.sizes))
        return self.network(self.sizes[size], in_channels)
