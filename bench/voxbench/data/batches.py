"""What each optimiser step is trained on: augmented patches, a pure function of the step."""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

from voxbench.api import Change
from voxbench.data.augment import augment, moves
from voxbench.data.cache import PreparedCase
from voxbench.data.patches import Batch, Patches
from voxbench.design.recipe import Pretraining, Recipe


class Batches(Protocol):
    """What each step is trained on, whichever were asked for before."""

    def __call__(self, step: int, slots: range | None = None, /) -> Batch:
        """The batch of a step, or the patches in some of its slots alone."""


def augmented_batches(
    cases: Sequence[PreparedCase],
    classes: Mapping[str, int],
    mirrors: tuple[int, ...],
    schedule: Recipe | Pretraining,
    *,
    foreground: float,
    seeds: Mapping[str, int],
    forbidden: Collection[Change] = (),
    thick: int | None = None,
    raters: Literal["random", "all"] | None = None,
) -> Batches:
    """The batches of a training.

    Args:
        cases: to sample from.
        classes: of the card.
        mirrors: axes of the prepared arrays that may be mirrored.
        schedule: gives patch, batch and augmentation.
        foreground: share of patches centred on a class.
        seeds: of the streams `order` and `augmentation`.
        forbidden: what of the augmentation is left out.
        thick: axis across thick slices, along which patches are neither turned nor scaled.
        raters: whose label map a patch has, see `Patches`.
    """
    level, seed = schedule.augmentation, seeds["augmentation"]
    patches = Patches(
        cases,
        classes,
        schedule.patch,
        schedule.batch,
        foreground,
        seeds["order"],
        moves(level, seed, forbidden, thick),
        raters,
    )

    def batches(step: int, slots: range | None = None) -> Batch:
        first = slots.start if slots else 0
        batch = patches.batch(step, slots)
        return augment(batch, level, seed, step, mirrors, forbidden, first, thick)

    return batches
