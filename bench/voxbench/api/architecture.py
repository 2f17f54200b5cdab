"""An architecture: a network in several sizes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from voxbench.design.kernels import Spacing
from voxbench.errors import SpecError, unknown
from voxbench.registry import Registry

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
        shaped: (size, in_channels, spacing_mm) → the same with kernels and strides by the voxel
            size, see `design.kernels.levels`; None where the network has one form.
    """

    name: str
    sizes: Mapping[str, S]
    network: "Callable[[S, int], Backbone]"
    shaped: "Callable[[S, int, Spacing], Backbone] | None" = None

    def build(self, size: str, in_channels: int, spacing_mm: Spacing | None = None) -> "Backbone":
        """A randomly initialised backbone.

        Args:
            size: one of `sizes`.
            in_channels: channels of the images.
            spacing_mm: voxel size that decides kernels and strides; None takes cubes.

        Raises:
            SpecError: unknown size; names the nearest and all. Or it has one form.
        """
        if size not in self.sizes:
            raise SpecError(unknown(f"size of {self.name}", size, self.sizes))
        if spacing_mm is None:
            return self.network(self.sizes[size], in_channels)
        if self.shaped is None:
            raise SpecError(
                f"anisotropic: {self.name} has one form, whatever the voxels; leave it out, or "
                "take unet, resenc-unet or nnunet."
            )
        return self.shaped(self.sizes[size], in_channels, spacing_mm)


def _objection(found: object) -> str | None:
    """Why an object is no architecture, or None if it is one."""
    if isinstance(found, Architecture):
        return None
    return f"is {found!r}, not a voxbench.api.Architecture"


ARCHITECTURES: Registry[Architecture[Any]] = Registry("architecture", _objection)
