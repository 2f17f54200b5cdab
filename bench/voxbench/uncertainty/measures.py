"""Maps of uncertainty from the members of a prediction model, which are fed one by one.

With p̄ the mean over members and H the entropy in nats (0 · log 0 = 0), as in ValUES (Kahl et al.,
ICLR 2024) after Depeweg et al. (ICML 2018): predictive entropy H(p̄), expected entropy, the mean of
H(p), mutual information, their difference, and 1 − the largest of p̄. Of one class against the rest
they are those of (p, 1 − p).
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.errors import DataError

Float32 = NDArray[np.float32]
Kind = Literal["predictive", "aleatoric", "epistemic"]

_AT_ONCE = 1 << 18  # probabilities: what a processor's cache holds
_TINY = np.float32(1e-38)  # its logarithm is finite, and times 0 it is 0
SUM_ERROR = 0.01  # how far the probabilities of a voxel may be from 1, as 16-bit numbers are


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
        flat = probabilities.reshape(self.classes, -1)
        for part in self._parts():
            self._add(flat[:, part], (part,), (self._entropy.size,))

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
        for row, given in enumerate(probabilities.swapaxes(0, 1), start=box[0].start):
            self._add(given[:, None], (slice(row, row + 1), *box[1:]), self.shape)

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
        self._require()
        mean: Float32 = (self._sum / np.float32(self.count)).reshape(self.classes, *self.shape)
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
        made = Measures(*(np.empty(entropies.size, np.float32) for _ in Measures._fields))
        for part in self._parts():
            p = self._sum[rows, part] / np.float32(self.count)
            if len(p) == 1 < self.classes:
                p = np.concatenate([p, 1 - p])
            made.predictive_entropy[part] = _terms(p).sum(axis=0)
            made.expected_entropy[part] = entropies[part] / np.float32(self.count)
            made.one_minus_max[part] = 1 - p.max(axis=0)
        np.subtract(made.predictive_entropy, made.expected_entropy, out=made.mutual_information)
        for measure in made:
            np.maximum(measure, 0, out=measure)  # rounding
        return Measures(*(measure.reshape(self.shape) for measure in made))

    def _add(self, given: NDArray[Any], part: tuple[slice, ...], shape: tuple[int, ...]) -> None:
        """Take probabilities (class, *part) of a part of volumes that have this shape."""
        p = _probabilities(given)
        terms = _terms(p)
        self._sum.reshape(-1, *shape)[(slice(None), *part)] += p
        self._entropy.reshape(shape)[part] += terms.sum(axis=0)
        if self._by_class is not None:
            self._by_class.reshape(-1, *shape)[(slice(None), *part)] += terms + _terms(1 - p)
        self._given += p[0].size

    def _require(self) -> None:
        if not self._given:
            raise ValueError("no member was added.")
        if self._given % self._entropy.size:
            raise ValueError("a part of a member is missing.")

    def _parts(self) -> Iterator[slice]:
        step = max(1, _AT_ONCE // self.classes)
        return (slice(at, at + step) for at in range(0, self._entropy.size, step))


def _terms(p: Float32) -> Float32:
    """−p log p."""
    terms = np.maximum(p, _TINY)
    np.log(terms, out=terms)
    terms *= p
    return np.negative(terms, out=terms)


def _probabilities(values: NDArray[Any]) -> Float32:
    """A copy in 0 … 1, (class, voxel).

    Raises:
        DataError: a value is far outside, or a voxel whose values do not sum to 1.
    """
    p = values.astype(np.float32)
    total = p.sum(axis=0)
    low, high = float(p.min()), float(p.max())
    if not (low >= -SUM_ERROR and high <= 1 + SUM_ERROR):  # NaN is neither
        raise DataError(f"holds {low:g} … {high:g}, a probability is 0 … 1: are these logits?")
    if total.min() < 1 - SUM_ERROR or total.max() > 1 + SUM_ERROR:
        worst = float(total[np.abs(total - 1).argmax()])
        raise DataError(
            f"the probabilities of a voxel sum to {worst:g}, not 1: are all classes there, with "
            "the background, and is the softmax over them?"
        )
    return p if low >= 0 and high <= 1 else np.clip(p, 0, 1)
