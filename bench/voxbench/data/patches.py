"""Training patches, copied straight from memory-mapped cases: the same for a given step."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import floor
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.data.cache import PreparedCase
from voxbench.data.outside import copy_window, first_voxel
from voxbench.data.spatial import Moves, copy_moved


class Batch(NamedTuple):
    """What one optimiser step sees.

    Attributes:
        images: (batch, channel, d, h, w) float32.
        labels: (batch, d, h, w) uint8 of class indices.
        labelled: (batch, class) bool, which classes were annotated in the case, in the order of
            the card.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.uint8]
    labelled: NDArray[np.bool_]


class Patches:
    """A stream of batches, a pure function of seed and step.

    Cases come in shuffled rounds, each once a round. A fixed share of the patches is centred on
    a random voxel of a random class of its case, moved inwards where it would leave the volume;
    the others lie anywhere in it.

    Args:
        cases: to sample from.
        classes: of the card.
        patch: voxels along each axis.
        batch: patches a step.
        foreground: share of patches centred on a class.
        seed: of the stream.
        moves: which patches are turned and scaled, and how; None leaves all as they are.
        raters: whose label map a patch has where a case has several: a random one's, or of all in
            turn, one a round; None takes the case's own.
    """

    def __init__(
        self,
        cases: Sequence[PreparedCase],
        classes: Mapping[str, int],
        patch: tuple[int, int, int],
        batch: int,
        foreground: float,
        seed: int,
        moves: Moves | None = None,
        raters: Literal["random", "all"] | None = None,
    ) -> None:
        self.cases = tuple(cases)
        self.patch = patch
        self.size = batch
        self.foreground = foreground
        self.seed = seed
        self.moves = moves
        self.raters = raters
        self.labelled = np.array(
            [
                [case.labelled is None or name in case.labelled for name in classes]
                for case in cases
            ],
            bool,
        )
        self._round = lru_cache(maxsize=4)(self._shuffled)

    def batch(self, step: int, slots: range | None = None) -> Batch:
        """The batch of a step, whichever were asked for before.

        Args:
            step: of the training.
            slots: of the batch, whose patches alone are wanted; None takes all.
        """
        random = np.random.default_rng([self.seed, step, 1])
        channels = len(self.cases[0].image)
        samples = range(step * self.size, (step + 1) * self.size)
        chosen = [self._case(sample) for sample in samples]
        corners = [  # of all slots, as they are drawn one after the other
            self._corner(self.cases[index], sample, random)
            for index, sample in zip(chosen, samples, strict=True)
        ]
        slots = slots or range(self.size)
        images = np.empty((len(slots), channels, *self.patch), np.float32)
        labels = np.empty((len(slots), *self.patch), np.uint8)
        for place, slot in enumerate(slots):
            case, corner = self.cases[chosen[slot]], corners[slot]
            label = self._label(case, samples[slot])
            matrix = self.moves.matrix(step, slot) if self.moves else None
            if matrix is not None:
                copy_moved(case, label, corner, matrix, images[place], labels[place])
                continue
            for out, image, value in zip(images[place], case.image, case.outside, strict=True):
                copy_window(image, corner, out, value)
            copy_window(label, corner, labels[place], 0)
        return Batch(images, labels, self.labelled[[chosen[slot] for slot in slots]])

    def _case(self, sample: int) -> int:
        turn, position = divmod(sample, len(self.cases))
        return int(self._round(turn)[position])

    def _label(self, case: PreparedCase, sample: int) -> NDArray[np.uint8]:
        """What a patch of a case is to be told."""
        raters = [*case.raters.values()] if self.raters else []
        if not raters:
            return case.label
        if self.raters == "all":
            return raters[sample // len(self.cases) % len(raters)]
        return raters[np.random.default_rng([self.seed, sample, 3]).integers(len(raters))]

    def _shuffled(self, turn: int) -> NDArray[np.int64]:
        return np.random.default_rng([self.seed, turn, 2]).permutation(len(self.cases))

    def _corner(self, case: PreparedCase, sample: int, random: np.random.Generator) -> list[int]:
        """First voxel of the patch; negative where the case is smaller than the patch."""
        share = self.foreground
        centred = floor((sample + 1) * share) > floor(sample * share)
        shape = case.label.shape
        centre = _foreground_voxel(case, random) if centred and case.foreground else None
        corner = []
        for axis, (size, side) in enumerate(zip(shape, self.patch, strict=True)):
            spare = size - side
            if spare <= 0:
                corner.append(first_voxel(size, side))
            elif centre is None:
                corner.append(int(random.integers(spare + 1)))
            else:
                corner.append(min(max(centre[axis] - side // 2, 0), spare))
        return corner


def _foreground_voxel(case: PreparedCase, random: np.random.Generator) -> tuple[int, ...]:
    classes = list(case.foreground.values())
    positions = classes[random.integers(len(classes))]
    position = int(positions[random.integers(len(positions))])
    return tuple(int(index) for index in np.unravel_index(position, case.label.shape))
