"""Prepared cases as a poorer annotation would have them: fewer structures, wrong masks."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from voxbench.toolkit import PreparedCase, sample_foreground, stream

Mask = NDArray[np.bool_]


def chosen_structures(classes: Iterable[str], count: int, seed: int) -> frozenset[str]:
    """So many of the classes, in one random order a seed: fewer are a subset of more."""
    order = sorted(classes)
    random.Random(stream("structures", seed=seed)).shuffle(order)  # noqa: S311 (no secret)
    return frozenset(order[:count])


@dataclass(frozen=True)
class Reannotated(PreparedCase):
    """A prepared case with some of its structures, a share of them drawn wrongly.

    The wrong masks at a lower share are among those of a higher one, and the same at both.

    Attributes:
        classes: of the card, in its order.
        structures: those that are annotated here; the others count as unlabelled.
        noise: probability that a structure's mask in a case is wrong.
        seed: decides which are, together with the names of case and structure.
    """

    classes: tuple[str, ...]
    structures: frozenset[str]
    noise: float
    seed: int

    @classmethod
    def of(cls, case: PreparedCase, *rest: Any) -> "Reannotated":
        """A view of a case."""
        return cls(case.id, case.patient, case.path, *rest)

    @property
    def labelled(self) -> frozenset[str]:
        """The annotated classes."""
        given = super().labelled
        return self.structures if given is None else self.structures & given

    @property
    def label(self) -> NDArray[np.uint8]:
        """(d, h, w) of class indices: the stored map, or a copy with wrong masks."""
        return super().label if self._drawn is None else self._drawn

    @cached_property
    def _drawn(self) -> NDArray[np.uint8] | None:
        """The copy with wrong masks, if there are any."""
        errors = {
            index: generator
            for index, name in enumerate(self.classes, start=1)
            if name in self.labelled and (generator := self._error(name))
        }
        return with_errors(super().label, errors) if errors else None

    @cached_property
    def foreground(self) -> dict[str, NDArray[np.int64]]:
        """Class → flat positions of voxels, of the annotated classes."""
        found = sample_foreground(self.label, self.classes) if self.noise else super().foreground
        return {name: positions for name, positions in found.items() if name in self.labelled}

    @property
    def present(self) -> frozenset[str]:
        """The annotated classes with at least one voxel."""
        return frozenset(self.foreground)

    def _error(self, name: str) -> np.random.Generator | None:
        """Where the mask of a structure is wrong, the generator that draws how."""
        seed = stream("label noise", seed=self.seed, case=self.id, structure=name)
        generator = np.random.default_rng(seed)
        return generator if generator.random() < self.noise else None

    def __getstate__(self) -> dict[str, Any]:
        own = ("classes", "structures", "noise", "seed")
        return {**super().__getstate__(), **{name: getattr(self, name) for name in own}}


def with_errors(
    label: NDArray[np.uint8], errors: dict[int, np.random.Generator]
) -> NDArray[np.uint8]:
    """A label map in which the given classes are drawn wrongly.

    Each is eroded, dilated, shifted or missing, with equal chances. Erosion and dilation go a
    quarter of the radius of a ball of the structure's volume, a shift goes half of it along the
    axis that its random direction follows most, all at least one voxel. No wrong mask takes
    voxels from another structure.

    Args:
        label: (d, h, w) of class indices.
        errors: class index → generator that draws its error.
    """
    result = np.where(np.isin(label, list(errors)), 0, label).astype(np.uint8)
    for index, generator in errors.items():
        mask = label == index
        if mask.any():
            free = (label == 0) | mask
            result[wrong_mask(mask, generator) & free & (result == 0)] = index
    return result


def wrong_mask(mask: Mask, generator: np.random.Generator) -> Mask:
    """The mask (d, h, w) of one structure as a careless annotator might draw it."""
    radius = float(np.cbrt(3 * np.count_nonzero(mask) / (4 * np.pi)))
    kind = generator.integers(4)
    if kind == 0:
        return _resized(mask, ndimage.binary_erosion, radius)
    if kind == 1:
        return _resized(mask, ndimage.binary_dilation, radius)
    if kind == 2:
        return _shifted(mask, radius, generator)
    return np.zeros_like(mask)


def _resized(mask: Mask, change: Any, radius: float) -> Mask:
    """Erode or dilate, looking at the structure's neighbourhood alone."""
    voxels = max(1, round(radius / 4))
    box = tuple(
        slice(max(0, part.start - voxels - 1), part.stop + voxels + 1)
        for part in ndimage.find_objects(mask.view(np.uint8))[0]
    )
    result = np.zeros_like(mask)
    result[box] = change(mask[box], iterations=voxels)
    return result


def _shifted(mask: Mask, radius: float, generator: np.random.Generator) -> Mask:
    direction = generator.normal(size=3)
    direction *= max(1.0, radius / 2) / np.abs(direction).max()
    voxels = np.argwhere(mask) + np.rint(direction).astype(np.intp)
    voxels = voxels[((voxels >= 0) & (voxels < mask.shape)).all(axis=1)]
    result = np.zeros_like(mask)
    result[tuple(voxels.T)] = True
    return result
