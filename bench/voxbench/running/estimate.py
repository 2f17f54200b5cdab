"""What cells and pre-trainings will take, from two seconds of this machine.

Operations of every network are counted on one patch without computing anything; how many of them a
worker does a second is measured on the smallest network.
"""

import math
import time
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from voxbench.api import Baseline
from voxbench.design.cell import DIRECT
from voxbench.design.kernels import Spacing
from voxbench.errors import VoxbenchError
from voxbench.model.segmenter import Segmenter
from voxbench.model.stochastic import Stochastic, segmenter_of
from voxbench.pretrain.plan import PretrainingPlan
from voxbench.running.bind import BoundCell, Trainings
from voxbench.running.remarks import shapes_of

Work = Trainings | PretrainingPlan

MEASURED_S = 2.0
_PASSES = 3  # a step is a pass forward and, twice as dear, one backward
_SIDE = 32  # voxels of the patch that is measured


class Network(NamedTuple):
    """What decides the operations of a pass.

    Attributes:
        baseline: builds it.
        channels: of the images.
        classes: that it tells apart.
        patch: voxels.
        supervised: whether coarser maps of its decoder are.
        stochastic: see `Recipe`.
        spacing: voxel size that decides its kernels; None where they are cubes.
    """

    baseline: Baseline
    channels: int
    classes: int
    patch: tuple[int, int, int]
    supervised: bool = False
    stochastic: Stochastic | None = None
    spacing: Spacing | None = None

    @property
    def same(self) -> tuple[object, ...]:
        """What all arms of one twin have in common, whose network is counted once."""
        own = {"architecture": self.baseline.architecture, "size": self.baseline.size}
        name, axes = self.baseline.twin or (self.baseline.card.name, own)
        return name, repr(sorted(axes.items())), *self[1:]

    def built(self) -> Segmenter:
        """It, with its weights at random.

        Raises:
            SpecError, PluginError: there is no such network, or it can't be trained so.
        """
        backbone = self.baseline.network(self.channels, self.spacing)
        segmenter = segmenter_of(backbone, self.classes, self.stochastic)
        segmenter.backbone.check_patch(self.patch)
        if self.supervised:
            segmenter.backbone.check_supervision()
        return segmenter


def estimate(work: Sequence[Work]) -> list[float | str | None]:
    """The seconds that a worker will need for each, or why it can't be done.

    None for what can't be counted or measured.
    """
    alike: dict[tuple[object, ...], Network] = {}
    networks = [alike.setdefault(found.same, found) for found in map(_network, work)]
    counted = {network: operations(network) for network in networks}
    sizes = {network: size for network, size in counted.items() if isinstance(size, float)}
    rate = _rate(min(sizes, key=lambda network: sizes[network])) if sizes else None
    found: list[float | str | None] = []
    for one, network in zip(work, networks, strict=True):
        size = counted[network]
        known = _patches(one) * size / rate if isinstance(size, float) and size and rate else None
        found.append(size if isinstance(size, str) else known)
    return found


def _network(one: Work) -> Network:
    if isinstance(one, Trainings):
        card, recipe = one.dataset.card, one.cell.recipe
        patch, stochastic = recipe.patch, recipe.stochastic
        supervised = recipe.deep_supervision and one.cell.adaptation not in DIRECT
    else:
        card, patch, supervised = one.source.card, one.schedule.patch, False
        stochastic = None
    sizes = len(card.channels), len(card.parts), patch
    return Network(one.baseline, *sizes, supervised, stochastic, one.kernel_spacing)


@cache
def _bytes(network: Network) -> int:
    """Of all its tensors; 0 where it can't be built."""
    try:
        with torch.device("meta"):
            tensors = network.built().state_dict().values()
    except Exception:  # noqa: BLE001 (a stranger's network may be anything)
        return 0
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def weights_bytes(cells: Sequence[BoundCell]) -> int:
    """What the weights of these cells take on disk if they are kept."""
    alike: dict[tuple[object, ...], Network] = {}
    counts = Counter(one.trainings for one in cells if one.trainings.cell.adaptation not in DIRECT)
    total = 0
    for trainings, count in counts.items():
        found = _network(trainings)
        total += count * _bytes(alike.setdefault(found.same, found))
    return total


@cache
def operations(network: Network) -> float | str | None:
    """Of a pass forward; why there is no such network; None where they can't be counted."""
    try:
        with torch.device("meta"):
            built = network.built().eval()
            image = torch.empty(2, network.channels, *network.patch)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            built(image)
    except VoxbenchError as error:
        return str(error)
    except Exception:  # noqa: BLE001 (a stranger's network may be anything)
        return None
    return float(counter.get_total_flops()) / 2


def _rate(network: Network) -> float | None:
    """Operations a second of one worker in training; None where the network can't be trained."""
    a, b, c = (min(side, _SIDE) for side in network.patch)
    small = network._replace(patch=(a, b, c))
    size = operations(small)
    if not isinstance(size, float):
        return None
    device = "cuda" if torch.cuda.is_available() else "cpu"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a worker has of a pool with one for each core
    try:
        built = small.built().to(device)
        image = torch.zeros(2, small.channels, *small.patch, device=device)
        moments = [time.perf_counter()]
        while len(moments) < 2 or moments[-1] - moments[0] < MEASURED_S:
            built(image).float().mean().backward()
            built.zero_grad()
            if device == "cuda":
                torch.cuda.synchronize()
            moments.append(time.perf_counter())
    except Exception:  # noqa: BLE001 (a stranger's network may be anything)
        return None
    finally:
        torch.set_num_threads(threads)
    fastest = min(later - earlier for earlier, later in pairwise(moments))
    return len(image) * _PASSES * size / fastest


def _patches(one: Work) -> float:
    """Passes forward: of training, counted thrice, and of prediction."""
    if isinstance(one, Trainings):
        recipe = one.cell.recipe
        trained = 0 if one.cell.adaptation in DIRECT else recipe.steps * recipe.batch
        return _PASSES * trained + _windows(one)
    return 0.0 if one.donor else _PASSES * one.schedule.steps * one.schedule.batch


def _windows(one: Trainings) -> float:
    recipe, cases = one.cell.recipe, one.dataset.split.test[: one.cell.limit]
    shapes = shapes_of(one.dataset, one.preprocessing)
    each = [_tiles(shape, recipe.patch, recipe.overlap) for shape in shapes]
    copies = 2 ** len(one.dataset.mirroring.axes) if recipe.test_time_mirroring else 1
    return len(cases) * copies * fmean(each) if each else 0.0


def _tiles(shape: Sequence[int], patch: Sequence[int], overlap: float) -> int:
    """Windows that cover a volume."""
    strides = [max(1, int(side * (1 - overlap))) for side in patch]
    sides = zip(shape, patch, strides, strict=True)
    return math.prod(1 + max(0, math.ceil((n - side) / stride)) for n, side, stride in sides)
