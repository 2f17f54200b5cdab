"""The terms of a composite loss, each told by itself, beside what it must beat."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from torch import Tensor


class Term(NamedTuple):
    """One term of a loss; all values are scalars.

    Attributes:
        value: what is minimised.
        trivial: the same loss of answers that take no learning, by their kind: chance, copy,
            mean, constant.
        accuracy: share of right answers, where they are right or wrong.
        chance: accuracy of a guess.
        weight: of the value in the loss; 0 tells it without training it.
    """

    value: Tensor
    trivial: Mapping[str, Tensor | float] = {}
    accuracy: Tensor | None = None
    chance: Tensor | float | None = None
    weight: float = 1.0


Terms = Mapping[str, Term]


def total(terms: Terms) -> Tensor:
    """The loss: the weighted sum of the terms' values."""
    weighted = [term.weight * term.value for term in terms.values()]
    loss: Tensor = sum(weighted[1:], weighted[0])
    return loss


def told(terms: Terms) -> dict[str, Tensor | float]:
    """All that terms tell, flat, as in "rotation", "rotation, chance", "rotation, accuracy"."""
    return {
        name: value.detach() if isinstance(value, Tensor) else value for name, value in _told(terms)
    }


def _told(terms: Terms) -> Iterator[tuple[str, Tensor | float]]:
    for name, term in terms.items():
        yield name, term.value
        for kind, value in term.trivial.items():
            yield f"{name}, {kind}", value
        if term.accuracy is not None:
            yield f"{name}, accuracy", term.accuracy
        if term.chance is not None:
            yield f"{name}, accuracy of chance", term.chance
