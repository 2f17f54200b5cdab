"""The members of a prediction, accumulated block by block: the interface of prediction models.

A prediction model (C1 of ValUES, Kahl et al., ICLR 2024) says how a case is predicted several
times. It is a plugin of the group `voxbench.uncertainty_models`: a frozen dataclass below
`UncertaintyModel`, whose fields a sweep may set.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from voxbench.data.cache import PreparedCase
from voxbench.design.recipe import Recipe
from voxbench.model.stochastic import Stochastic
from voxbench.predict.layout import Layout
from voxbench.predict.native import Box, to_native
from voxbench.predict.window import Forward, stitched
from voxbench.registry import ClassRegistry, not_of_class
from voxbench.uncertainty.measures import Members

Draw = Callable[[Tensor, Box], Iterator[Tensor]]
"""Scores (score, d, h, w) and where they lie in the crop → probabilities (class, d, h, w) of each
member; what several boxes of one member share has to be drawn alike for all of them."""


class Subject(NamedTuple):
    """What is predicted, and with what.

    Attributes:
        networks: trained alike but for their seeds, on the device; a model that needs one takes the
            first. May load each when it is asked for.
        prepared: the case.
        recipe: that they were trained by.
        device: "cpu" or "cuda:N".
        mirrored: axes along which no class becomes another, see `data.mirroring`.
        seed: of whatever a model draws.
    """

    networks: Sequence[nn.Module]
    prepared: PreparedCase
    recipe: Recipe
    device: str
    mirrored: tuple[int, ...] = ()
    seed: int = 0


def softmax(scores: Tensor, box: Box) -> Iterator[Tensor]:  # noqa: ARG001 (a draw's signature)
    """The one member that logits are."""
    yield scores.softmax(dim=0)


class Pass(NamedTuple):
    """One run over the windows of a case.

    Attributes:
        image: (channel, d, h, w) float32, as prepared or changed.
        forward: of its windows, in inference mode.
        draw: the members that the scores stand for; one by default, their softmax.
    """

    image: NDArray[np.float32]
    forward: Forward
    draw: Draw = softmax


@dataclass(frozen=True)
class UncertaintyModel(ABC):
    """How a case is predicted several times.

    Attributes:
        stochastic: what `recipe.stochastic` has to be where its networks are trained; None takes
            any network.
        ensembles: it needs the networks of several seeds.
    """

    stochastic: ClassVar[Stochastic | None] = None
    ensembles: ClassVar[bool] = False

    @abstractmethod
    def passes(self, subject: Subject) -> Iterator[Pass]:
        """The runs over the case, one after another; each is over when the next is asked for.

        Raises:
            SpecError: the networks were not trained for it, or are too few.
        """

    def runs(self, networks: int, mirrored: int) -> int:  # noqa: ARG002 (what others count by)
        """How many passes there are, for estimates and records; 1 unless a model says otherwise.

        Args:
            networks: of the subject.
            mirrored: along how many axes it may be.
        """
        return 1


MODELS: ClassRegistry[UncertaintyModel] = ClassRegistry(
    "uncertainty_model", partial(not_of_class, UncertaintyModel)
)


def predict_members(
    model: UncertaintyModel,
    subject: Subject,
    *,
    by_class: bool = False,
    labels: list[NDArray[np.uint8]] | None = None,
) -> Members:
    """Sums of the members' probabilities and entropies, on the native grid within the crop.

    Never is more than a block of a member there: it is interpolated to the native grid, turned into
    probabilities, added and dropped. What is held is one class volume and one map, or two class
    volumes with `by_class`, beside what prediction holds. `geometry.uncropped` brings a map or the
    labels of the result to the grid of the case's files, with 0 around the crop.

    Args:
        model: how the case is predicted.
        subject: what is predicted.
        by_class: keep what measures of a class alone need.
        labels: is given the label map of each member, a byte a voxel.

    Raises:
        SpecError: the networks were not trained for the model.
    """
    prepared, recipe, device = subject.prepared, subject.recipe, subject.device
    layout = Layout.of(prepared.image.shape[1:], recipe.patch, recipe.overlap)
    members: Members | None = None
    own: dict[tuple[int, int], NDArray[np.uint8]] = defaultdict(
        lambda: np.zeros(prepared.grid.cropped, np.uint8)
    )
    for number, run in enumerate(model.passes(subject)):
        blocks = stitched(run.forward, run.image, prepared.outside, layout, recipe, device)
        for block in to_native(blocks, layout, prepared.grid):
            for box, scores in block.interpolated():
                for draw, probabilities in enumerate(run.draw(scores, box)):
                    shape = prepared.grid.cropped
                    members = members or Members(len(probabilities), shape, by_class=by_class)
                    members.add_part(probabilities.cpu().numpy(), box)
                    if labels is not None:
                        strongest = probabilities.max(dim=0).indices  # `argmax` takes longer
                        own[number, draw][box] = strongest.cpu().numpy()
    if members is None:
        raise ValueError(f"{type(model).__name__} made no member.")
    if labels is not None:
        labels += own.values()
    return members
