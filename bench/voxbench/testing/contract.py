"""Whether the input contract that a card declares beats others, on a few training cases.

The same cases are prepared anew under contracts that are wrong on purpose: axes flipped, axes
swapped, the window shifted by its width. A probe loss says how well the loaded network takes them:
the Dice loss of the published head on the classes that the task shares, else the mismatch of the
images with what the network's batch norms remember. The mismatch judges the window alone: without
a shared class the anatomy may be another, which moves it as much as a turn does (the abdominal
OBELISK network prefers head-and-neck CT with swapped axes).

A loss whose target is the image itself can't compare images that were prepared otherwise: swapped
axes on a grid of unequal spacing are resampled to smoother images, which are easier to restore. It
is taken of the same voxels, turned.
"""

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from voxbench.api import IGNORED, Case, Published, Task
from voxbench.data.cache import PreparedCase
from voxbench.data.outside import copy_window
from voxbench.data.prepare import prepare_cases
from voxbench.data.split import split_cases
from voxbench.design.preprocessing import Preprocessing, Window
from voxbench.design.structures import shared
from voxbench.testing.runner import Skip

if TYPE_CHECKING:
    from torch import Tensor

    from voxbench.model.backbones import Backbone
    from voxbench.model.weights import Contents

PROBED_CASES = 3
PROBED_SIDE = 64  # voxels of a probed cube, at most
TIE = 0.02
"""Relative difference of two losses that decides nothing: a mirrored body looks much the same."""

_OPPOSITE = str.maketrans("LRAPSI", "RLPAIS")


@dataclasses.dataclass(frozen=True)
class Cube:
    """Part of a prepared case.

    Attributes:
        image: (1, channel, d, h, w) float32.
        label: (1, d, h, w) int64 of class indices.
        labelled: (1, class) bool: annotated and present.
    """

    image: "Tensor"
    label: "Tensor"
    labelled: "Tensor"

    def turned(self, turn: "Turn") -> "Cube":
        """The same voxels with other axes."""
        return Cube(turn.turned(self.image), turn.turned(self.label), self.labelled)


ProbeLoss = Callable[[Sequence[Cube]], float]


Box = tuple[int, int, int]
"""Voxels of a probed part of a case along each axis."""


class Turn(NamedTuple):
    """Axes of an array in another order, or mirrored.

    Attributes:
        order: which of the axes comes where.
        mirrored: axes of the result that run the other way.
    """

    order: tuple[int, ...]
    mirrored: tuple[int, ...] = ()

    def axes(self, axes: str) -> str:
        """The code of the turned axes."""
        codes = [axes[i] for i in self.order]
        for axis in self.mirrored:
            codes[axis] = codes[axis].translate(_OPPOSITE)
        return "".join(codes)

    def turned(self, voxels: "Tensor") -> "Tensor":
        """A tensor whose last three axes are those of the array."""
        first = voxels.ndim - 3
        order = (*range(first), *(first + axis for axis in self.order))
        return voxels.permute(order).flip([first + axis for axis in self.mirrored])


TURNS = (
    *(
        Turn((0, 1, 2), axes)
        for count in (1, 2, 3)
        for axes in itertools.combinations(range(3), count)
    ),
    *(Turn(order) for order in itertools.permutations(range(3)) if order != (0, 1, 2)),
)
"""7 mirrorings and 5 swaps."""


def other_axes(contract: Preprocessing) -> dict[str, Preprocessing]:
    """The contract with other axes, by their code."""
    codes = [turn.axes(contract.axes) for turn in TURNS]
    return {f"axes {code}": contract.model_copy(update={"axes": code}) for code in codes}


def other_windows(contract: Preprocessing) -> dict[str, Preprocessing]:
    """The contract with its window moved up and down by its width; nothing without a window."""
    wrong = {}
    if isinstance(window := contract.intensity, Window):
        for sign, name in ((1, "up"), (-1, "down")):
            by = sign * (window.high - window.low)
            moved = window.model_copy(update={"low": window.low + by, "high": window.high + by})
            wrong[f"window {name}"] = contract.model_copy(update={"intensity": moved})
    return wrong


def contract_losses(
    task: Task,
    contract: Preprocessing,
    wrong: Mapping[str, Preprocessing],
    loss: ProbeLoss,
    box: Box,
) -> dict[str, float]:
    """The probe loss of the declared contract and of the wrong ones, on the same anatomy.

    Boxes lie around the middle of what is annotated, in the first `PROBED_CASES` training cases;
    test cases are never looked at.
    """
    cases = _cases(task, contract)
    tried = {"declared": contract, **wrong}
    return {name: loss(_cubes(task, cases, one, box)) for name, one in tried.items()}


def turned_losses(
    task: Task, contract: Preprocessing, loss: ProbeLoss, box: Box
) -> dict[str, float]:
    """The probe loss of boxes as `contract_losses` has them, and of the same voxels turned.

    Turns that would change the sides of the box are left out: a network knows patches as it was
    trained on them.
    """
    cubes = _cubes(task, _cases(task, contract), contract, box)
    turns = [turn for turn in TURNS if tuple(box[axis] for axis in turn.order) == box]
    return {
        "declared": loss(cubes),
        **{
            f"axes {turn.axes(contract.axes)}": loss([c.turned(turn) for c in cubes])
            for turn in turns
        },
    }


def _cubes(task: Task, cases: Sequence[Case], contract: Preprocessing, box: Box) -> list[Cube]:
    prepared = prepare_cases(task.card, cases, contract).values()
    return [cube(case, list(task.card.parts), box) for case in prepared]


def _cases(task: Task, contract: Preprocessing) -> list[Case]:
    split = split_cases(task)
    train = sorted(split.train or split.unlabelled, key=lambda case: case.id)[: 4 * PROBED_CASES]
    prepared = prepare_cases(task.card, train, contract)
    found = [case for case in train if case.label is None or prepared[case.id].present]
    if not found:
        raise Skip(f"the first training cases of {task.card.name} have no annotated voxel")
    return found[:PROBED_CASES]


def cube(case: PreparedCase, classes: Sequence[str], box: Box) -> Cube:
    """The box around the middle of a case's annotation, or of a case without one.

    It shows what lies outside a case too.
    """
    import torch

    image, label = np.asarray(case.image), np.asarray(case.label)
    annotated = (label > 0) & (label != IGNORED)
    middle = np.argwhere(annotated).mean(0) if annotated.any() else np.array(label.shape) / 2
    low = [round(place - side / 2) for place, side in zip(middle, box, strict=True)]
    images = np.empty((1, len(image), *box), np.float32)
    labels = np.empty((1, *box), np.int64)
    for out, channel, value in zip(images[0], image, case.outside, strict=True):
        copy_window(channel, low, out, value)
    copy_window(label, low, labels[0], 0)
    labelled = [
        (case.labelled is None or name in case.labelled) and bool((labels == i).any())
        for i, name in enumerate(classes, 1)
    ]
    return Cube(torch.from_numpy(images), torch.from_numpy(labels), torch.tensor([labelled]))


def head_loss(
    baseline: Published, published: "Contents", backbone: "Backbone", task: Task
) -> ProbeLoss | None:
    """Dice loss through the published head, or None if it shares no class with the task."""
    import torch

    from voxbench.fit.loss import segmentation_loss
    from voxbench.model.direct import Direct

    classes = list(task.card.classes)
    both = shared(baseline.card.outputs, classes)
    if not both or task.card.has_regions:
        return None
    head = baseline.head(published, backbone)
    network = Direct(backbone, head, baseline.card.outputs, classes).eval()
    known = torch.tensor([[name in both for name in classes]])

    def loss(cubes: Sequence[Cube]) -> float:
        with torch.no_grad():
            found = [
                segmentation_loss(network(one.image), one.label, one.labelled & known, "dice")
                for one in cubes
            ]
        return float(torch.stack(found).mean())

    return loss


def norm_loss(backbone: "Backbone") -> ProbeLoss | None:
    """Mismatch with the batch norms' statistics, or None if there are none."""
    import torch
    from torch import nn

    from voxbench.testing.probe import mismatch

    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm3d)]
    if not any(norm.running_mean is not None for norm in norms):
        return None
    return lambda cubes: mismatch(backbone, torch.cat([one.image for one in cubes]))


def judge_contracts(found: Mapping[str, float], tie: float = TIE) -> None:
    """Judge losses of `contract_losses`.

    Args:
        found: the probe losses, the declared contract's among them.
        tie: relative difference that decides nothing.

    Raises:
        AssertionError: a wrong contract is better than the declared one.
        Skip: the probe tells none apart.
    """
    declared = found["declared"]
    told = ", ".join(f"{name} {loss:.3f}" for name, loss in found.items())
    slack = tie * abs(declared)
    better = [name for name, loss in found.items() if loss < declared - slack]
    if better:
        raise AssertionError(f"{', '.join(better)} beats the declared contract: {told}")
    if all(loss <= declared + slack for loss in found.values()):
        raise Skip(f"the probe tells no contract apart: {told}")
