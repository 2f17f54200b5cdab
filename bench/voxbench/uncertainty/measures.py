"""Maps of uncertainty from the members of a prediction model, which are fed one by one.

With p̄ the mean over members and H the entropy in nats (0 · log 0 = 0), as in ValUES (Kahl et al.,
ICLR 2024) after Depeweg et al. (ICML 2018): predictive entropy H(p̄), expected entropy, the mean of
H(p), mutual information, their difference, and 1 − the largest of p̄. Of one class against the rest
they are those of (p, 1 − p).
"""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.compiled import read_only
from voxbench.errors import DataError
from voxbench.uncertainty.accumulate import SUM_ERROR, mean_entropy, take_classes, take_member

Float32 = NDArray[np.float32]
Axes = tuple[int, int, int]
Kind = Literal["predictive", "aleatoric", "epistemic"]

_DIMENSIONS = 3


class Measures(NamedTuple):
    """Maps of uncertainty, each (*spatial) float32."""

    predictive_entropy: Float32
    expected_entropy: Float32
    mutual_information: Float32
    one_minus_max: Float32


def measure_of(kind: Kind, model: str) -> str:
    """The measure that stands for a kind of uncertainty.

    A stochastic segmentation network (`ssn`) draws its members from the noise of the data, so that
    their disagreement is aleatoric, and what remains within a member is epistemic.
    """
    swapped = model == "ssn"
    return {
        "predictive": "predictive_entropy",
        "aleatoric": "mutual_information" if swapped else "expected_entropy",
        "epistemic": "expected_entropy" if swapped else "mutual_information",
    }[kind]


class Members:
    """What is kept of the members: sums of probabilities and of entropies, in float32.

    One class volume and one map, or two class volumes with `by_class`. Each map is within 2e-6 nats
    of what 64 bits give, for 10 members and 25 classes.

    Attributes:
        classes: how many, with the background.
        shape: of a map.
    """

    def __init__(self, classes: int, shape: tuple[int, ...], *, by_class: bool = False) -> None:
        self.classes = classes
        self.shape = shape
        self._given = 0  # voxels of all members
        voxels = int(np.prod(shape))
        self._sum = np.zeros((classes, voxels), np.float32)
        self._entropy = np.zeros(voxels, np.float32)
        self._by_class = np.zeros((classes, voxels), np.float32) if by_class else None

    def add(self, probabilities: NDArray[Any]) -> None:
        """Take a member: probabilities (class, *spatial).

        Raises:
            DataError: another shape, or the values of a voxel are no probabilities that sum to 1.
        """
        if probabilities.shape != (self.classes, *self.shape):
            raise DataError(
                f"a member has shape {probabilities.shape}, expected the classes first: "
                f"{(self.classes, *self.shape)}."
            )
        self._add(probabilities, tuple(slice(0, side) for side in self.shape))

    def add_part(self, probabilities: NDArray[Any], box: tuple[slice, ...]) -> None:
        """Take a part of a member: probabilities (class, *box).

        A member counts once the parts that were taken fill it, each of its voxels once.

        Args:
            probabilities: of the voxels of `box`.
            box: start and stop along each axis.

        Raises:
            DataError: another shape, or the values of a voxel are no probabilities that sum to 1.
        """
        expected = (self.classes, *(side.stop - side.start for side in box))
        if probabilities.shape != expected:
            raise DataError(
                f"a part of a member has shape {probabilities.shape}, expected {expected}."
            )
        self._add(probabilities, box)

    def add_labels(self, labels: NDArray[Any]) -> None:
        """Take a member that is sure of every voxel: class indices (*spatial).

        Raises:
            DataError: another shape, or an index without a class.
        """
        if labels.shape != self.shape:
            raise DataError(f"a member has shape {labels.shape}, expected {self.shape}.")
        if labels.min() < 0 or labels.max() >= self.classes:
            raise DataError(
                f"a member holds {labels.min()} … {labels.max()}; the {self.classes} classes are "
                f"0 … {self.classes - 1}."
            )
        flat = labels.reshape(-1)
        for index in range(self.classes):
            self._sum[index] += flat == index
        self._given += flat.size

    @property
    def count(self) -> int:
        """Whole members so far."""
        return self._given // self._entropy.size

    @property
    def mean(self) -> Float32:
        """The mean of the members' probabilities, (class, *spatial).

        Raises:
            ValueError: there is no member.
        """
        return np.stack([self.mean_of(index) for index in range(self.classes)])

    def mean_of(self, index: int) -> Float32:
        """The mean of the members' probabilities of one class, (*spatial).

        Raises:
            ValueError: there is no member.
        """
        self._require()
        mean: Float32 = (self._sum[index] / np.float32(self.count)).reshape(self.shape)
        return mean

    @property
    def labels(self) -> NDArray[np.intp]:
        """The most probable class of each voxel, (*spatial); the lowest of equals.

        Raises:
            ValueError: there is no member.
        """
        self._require()
        found: NDArray[np.intp] = self._sum.argmax(axis=0).reshape(self.shape)
        return found

    def measures(self) -> Measures:
        """The maps over all classes.

        Raises:
            ValueError: there is no member.
        """
        return self._measures(slice(None), self._entropy)

    def of_class(self, index: int) -> Measures:
        """The maps of one class against the rest.

        Raises:
            ValueError: there is no member, or nothing was kept by class.
        """
        if self._by_class is None:
            raise ValueError("nothing was kept by class: give by_class=True.")
        return self._measures(slice(index, index + 1), self._by_class[index])

    def _measures(self, rows: slice, entropies: Float32) -> Measures:
        self._require()
        share = np.float32(1 / self.count)
        sums = self._sum[rows]
        if len(sums) == 1 < self.classes:
            sums = np.concatenate([sums, np.maximum(self.count - sums, 0)])
        predictive, largest = (np.empty(entropies.size, np.float32) for _ in range(2))
        mean_entropy(read_only(sums), share, predictive, largest)
        expected = entropies * share
        made = Measures(predictive, expected, predictive - expected, np.subtract(1, largest))
        for measure in made:
            np.maximum(measure, 0, out=measure)  # rounding
        return Measures(*(measure.reshape(self.shape) for measure in made))

    def _add(self, given: NDArray[Any], box: tuple[slice, ...]) -> None:
        start, part, whole = _joined(box, self.shape)
        p = read_only(np.ascontiguousarray(given, np.float32).reshape(self.classes, *part))
        sums, entropy = self._sum.reshape(-1, *whole), self._entropy.reshape(whole)
        if not take_member(p, sums, entropy, start):
            raise _refused(given)
        if self._by_class is not None:
            take_classes(p, self._by_class.reshape(-1, *whole), start)
        self._given += p[0].size

    def _require(self) -> None:
        if not self._given:
            raise ValueError("no member was added.")
        if self._given % self._entropy.size:
            raise ValueError("a part of a member is missing.")


def _joined(box: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[Axes, Axes, Axes]:
    """Start and sides of a box and of its volume, as three axes with rows as long as can be.

    Rows that follow each other in memory, since the box is as wide as the volume, are one.
    """
    axes = [
        (side.start, side.stop - side.start, whole) for side, whole in zip(box, shape, strict=True)
    ]
    while len(axes) > 1 and axes[-1][1] == axes[-1][2]:
        *axes, (start, part, whole), (_, width, _) = axes
        axes.append((start * width, part * width, whole * width))
    z, y, x = [(0, 1, 1)] * (_DIMENSIONS - len(axes)) + axes
    return (z[0], y[0], x[0]), (z[1], y[1], x[1]), (z[2], y[2], x[2])


def _refused(values: NDArray[Any]) -> DataError:
    """Why values (class, …) are no probabilities."""
    low, high = float(values.min()), float(values.max())
    if not (low >= -SUM_ERROR and high <= 1 + SUM_ERROR):  # NaN is neither
        return DataError(f"holds {low:g} … {high:g}, a probability is 0 … 1: are these logits?")
    total = values.sum(axis=0, dtype=np.float64)
    worst = float(total.flat[np.abs(total - 1).argmax()])
    return DataError(
        f"the probabilities of a voxel sum to {worst:g}, not 1: are all classes there, with the "
        "background, and is the softmax over them?"
    )
