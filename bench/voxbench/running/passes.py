"""Networks, how many passes through them work takes, and what finished cells say of that.

Without torch: a plan of what is known needs none.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

from voxbench.api import Baseline
from voxbench.design.kernels import Spacing
from voxbench.pretrain.plan import PretrainingPlan
from voxbench.running.bound import Trainings
from voxbench.running.remarks import shapes_of

if TYPE_CHECKING:
    from voxbench.model.segmenter import Segmenter
    from voxbench.model.stochastic import Stochastic


class Again(NamedTuple):
    """What the network of finished cells does again.

    Attributes:
        trainings: of the cells.
        passes: forward, where one of training counts thrice.
    """

    trainings: Trainings
    passes: float


Work = Trainings | PretrainingPlan | Again

PASSES = 3
"""Of a step: one forward and, twice as dear, one backward."""


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
    stochastic: "Stochastic | None" = None
    spacing: Spacing | None = None

    @property
    def same(self) -> tuple[object, ...]:
        """What all arms of one twin have in common, whose network is counted once."""
        own = {"architecture": self.baseline.architecture, "size": self.baseline.size}
        name, axes = self.baseline.twin or (self.baseline.card.name, own)
        return name, repr(sorted(axes.items())), *self[1:]

    def built(self) -> "Segmenter":
        """It, with its weights at random.

        Raises:
            SpecError, PluginError: there is no such network, or it can't be trained so.
        """
        from voxbench.model.stochastic import segmenter_of

        backbone = self.baseline.network(self.channels, self.spacing)
        segmenter = segmenter_of(backbone, self.classes, self.stochastic)
        segmenter.backbone.check_patch(self.patch)
        if self.supervised:
            segmenter.backbone.check_supervision()
        return segmenter


def network_of(one: Work) -> Network:
    """That work is done on."""
    if isinstance(one, Again):
        return network_of(one.trainings)
    if isinstance(one, Trainings):
        card, recipe = one.dataset.card, one.cell.recipe
        patch, stochastic = recipe.patch, recipe.stochastic
        supervised = recipe.deep_supervision and one.cell.is_trained
    else:
        card, patch, supervised = one.source.card, one.schedule.patch, False
        stochastic = None
    sizes = len(card.channels), len(card.parts), patch
    return Network(one.baseline, *sizes, supervised, stochastic, one.kernel_spacing)


def by_finished(
    work: Sequence[Work], finished: Iterable[tuple[Trainings | Again, float]]
) -> list[float | None]:
    """The seconds that a worker will need for each, by what the same network took.

    None for what nothing of the network and the size of patch has been finished of.

    Args:
        work: that is to be done.
        finished: the seconds of cells, or of what they did again.
    """
    spent: dict[Trainings | Again, list[float]] = defaultdict(list)
    for done, seconds in finished:
        spent[done].append(seconds)
    rates: dict[tuple[object, ...], list[float]] = defaultdict(list)
    for done, found in spent.items():
        if passes := patches(done):
            rates[_body(done)].append(median(found) / passes)
    each = {network: median(found) for network, found in rates.items()}
    known = [each.get(_body(one)) for one in work]
    return [rate and patches(one) * rate for one, rate in zip(work, known, strict=True)]


def _body(one: Work) -> tuple[object, ...]:
    """The network without its head, which takes next to nothing."""
    return network_of(one)._replace(classes=1).same


def patches(one: Work) -> float:
    """Passes forward: of training, counted thrice, and of prediction."""
    if isinstance(one, Again):
        return one.passes
    if isinstance(one, Trainings):
        recipe = one.cell.recipe
        trained = recipe.steps * recipe.batch if one.cell.is_trained else 0
        copies = 2 ** len(one.dataset.mirroring.axes) if recipe.test_time_mirroring else 1
        tested = len(one.dataset.split.test[: one.cell.limit])
        return PASSES * trained + copies * windows(one, tested)
    return 0.0 if one.donor else PASSES * one.schedule.steps * one.schedule.batch


def windows(one: Trainings, cases: int) -> float:
    """Of so many cases of the task, which are as large as its others."""
    recipe, shapes = one.cell.recipe, shapes_of(one.dataset, one.preprocessing)
    each = [_tiles(shape, recipe.patch, recipe.overlap) for shape in shapes]
    return cases * fmean(each) if each else 0.0


def _tiles(shape: Sequence[int], patch: Sequence[int], overlap: float) -> int:
    """Windows that cover a volume."""
    strides = [max(1, int(side * (1 - overlap))) for side in patch]
    sides = zip(shape, patch, strides, strict=True)
    return math.prod(1 + max(0, math.ceil((n - side) / stride)) for n, side, stride in sides)
