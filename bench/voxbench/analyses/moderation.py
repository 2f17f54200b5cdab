"""The luck of seeds in a table of effects: arms on one task and fraction know of each other's."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from voxbench.analyses.groups import Run, Where
from voxbench.stats.arrays import Array
from voxbench.stats.moderated import moderated, moderated_luck
from voxbench.stats.student import Spread


class Sides(NamedTuple):
    """The two arms of a comparison, and what their runs came to.

    Attributes:
        where: what both share.
        arms: their labels.
        runs: that both have.
        means: over the patients of the comparison, (2, run).
    """

    where: Where
    arms: tuple[str, str]
    runs: tuple[Run, ...]
    means: Array


def moderate(known: Spread, compared: Sequence[Sides]) -> Spread:
    """The spread of comparisons, with the variance of seeds moderated among the arms of each task.

    Args:
        known: of each by itself, (comparison,).
        compared: the same comparisons.
    """
    together: dict[Where, list[int]] = defaultdict(list)
    for place, sides in enumerate(compared):
        if len({run.draw for run in sides.runs}) == 1:
            together[sides.where].append(place)
    parts = [part.copy() for part in known]
    for places in together.values():
        own = Spread(*(part[places] for part in parts))
        found = _moderate(own, [compared[place] for place in places])
        for part, changed in zip(parts, found, strict=True):
            part[places] = changed
    return Spread(*parts)


def _moderate(known: Spread, compared: Sequence[Sides]) -> Spread:
    """Of one task at one fraction."""
    runs = sorted({run for sides in compared for run in sides.runs})
    arms = list(dict.fromkeys(arm for sides in compared for arm in sides.arms))
    means = np.full((len(arms), len(runs)), np.nan)
    for sides in compared:
        columns = [runs.index(run) for run in sides.runs]
        for arm, own in zip(sides.arms, sides.means, strict=True):
            means[arms.index(arm), columns] = own
    places = [(arms.index(ours), arms.index(theirs)) for _, (ours, theirs), *_ in compared]
    lengths = np.array([len(sides.runs) for sides in compared])
    return moderated(known, moderated_luck(means), places, lengths)
