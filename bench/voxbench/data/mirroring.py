"""Along which axes the patches of a task may be mirrored: none that turns a class into another.

A mirrored left kidney is a right one, a mirrored anterior hippocampus a posterior one. The names of
the classes tell; where they don't, two classes of one size that lie on opposite sides in the first
training cases are taken for left and right too. A task's field `mirror` overrides both.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.api import Case, TaskCard
from voxbench.data.cache import sample_foreground
from voxbench.data.content_hash import case_hashes
from voxbench.data.sides import axes_before, ordered_names, sided_names
from voxbench.data.volumes import read_reference
from voxbench.design.cell import digest
from voxbench.errors import DataError, SpecError
from voxbench.files import write_atomically
from voxbench.paths import cache_dir

_CASES = 8  # whose labels are looked at
_WORDS = {"R": "left-right", "A": "front-back", "S": "top-bottom"}
_UNUSED = ", also where classes have sides, as labels are not used"
_ALIKE = 2.5  # sizes of two sides of one structure, at most


class Mirroring(NamedTuple):
    """What may be mirrored.

    Attributes:
        axes: letters of R, A and S.
        reasons: axis → why it is not among them.
        before: what the first rule mirrored, which asked for words in the names alone.
        aside: what is said besides.
    """

    axes: str
    reasons: Mapping[str, str]
    before: str
    aside: str = ""

    def along(self, orientation: str) -> tuple[int, ...]:
        """The axes of arrays with this orientation code ("LPS") that may be mirrored."""
        letters = orientation.translate(str.maketrans("LPI", "RAS"))
        return tuple(axis for axis in range(3) if letters[axis] in self.axes)

    @property
    def told(self) -> str:
        """In words."""
        axes = ", ".join(_WORDS[axis] for axis in self.axes) or "nothing"
        kept = "".join(f"; not {_WORDS[axis]} ({why})" for axis, why in self.reasons.items())
        return f"mirrored in training: {axes}{kept}{self.aside}"

    @property
    def identity(self) -> dict[str, str]:
        """What enters a key: nothing where the first rule said the same."""
        return {} if self.axes == self.before else {"mirrored": self.axes}


def find_mirroring(card: TaskCard, cases: Sequence[Case], given: str | None = None) -> Mirroring:
    """What may be mirrored in a task.

    Args:
        card: of the task, whose classes tell.
        cases: its training cases; labels that can't be read say nothing.
        given: the task's `mirror`, which is believed; None asks classes and cases.

    Raises:
        SpecError: `mirror` holds other letters than R, A and S.
    """
    before = axes_before(card.classes)
    if given is not None:
        return _all_but(_said(card, given), before)
    reasons = ordered_names(card.classes)
    sided = sided_names(tuple(card.classes)) or _opposite(card, cases[:_CASES])
    return _all_but(reasons | ({"R": sided} if sided else {}), before)


def mirroring_of_images(card: TaskCard, given: str | None = None) -> Mirroring:
    """What may be mirrored where labels are not used: every axis, unless `mirror` says otherwise.

    Raises:
        SpecError: as `find_mirroring`.
    """
    if given is not None:
        return _all_but(_said(card, given), "RAS")
    sided = axes_before(card.classes) != "RAS" or sided_names(tuple(card.classes))
    return _all_but({}, "RAS")._replace(aside=_UNUSED if sided else "")


def _all_but(reasons: Mapping[str, str], before: str) -> Mirroring:
    axes = "".join(axis for axis in "RAS" if axis not in reasons)
    return Mirroring(axes, dict(sorted(reasons.items())), before)


def _said(card: TaskCard, axes: str) -> dict[str, str]:
    if not set(axes) <= set("RAS"):
        raise SpecError(
            f"task {card.name!r}: mirror: expected letters of R (left and right), A (front "
            f'and back) and S (top and bottom), or "" for none; got {axes!r}.'
        )
    return {axis: "the task's field says so" for axis in "RAS" if axis not in axes}


def _opposite(card: TaskCard, cases: Sequence[Case]) -> str | None:
    """Two classes that lie left and right of each other in all these cases; remembered."""
    if len(card.parts) < 2 or not cases:
        return None
    key = digest([case_hashes(cases), list(card.parts.items())])
    memory = cache_dir() / "sides" / f"{key[:32]}.json"
    try:
        found: str | None = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = _pair(card, list(_places(card, cases)))
        write_atomically(memory, json.dumps(found))
    return found


class _Place(NamedTuple):
    """Where a class lies in a case: mean and deviation in mm along R, A and S, and its voxels."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    voxels: int


def _places(card: TaskCard, cases: Sequence[Case]) -> Iterator[dict[str, _Place]]:
    for case in cases:
        try:
            label = read_reference(case, card)
        except DataError:
            continue
        counts = dict(zip(("", *card.parts), np.bincount(label.array.ravel()), strict=False))
        found = {}
        for name, flat in sample_foreground(label.array, tuple(card.parts)).items():
            voxels = np.stack(np.unravel_index(flat, label.array.shape), axis=1)
            mm = voxels @ label.affine[:3, :3].T + label.affine[:3, 3]
            found[name] = _Place(mm.mean(0), mm.std(0), int(counts[name]))
        yield found


def _pair(card: TaskCard, cases: Sequence[Mapping[str, _Place]]) -> str | None:
    for one, other in combinations(card.parts, 2):
        both = [(case[one], case[other]) for case in cases if one in case and other in case]
        sides = {_side(a, b) for a, b in both}
        if len(sides) == 1 and 0 not in sides:
            return f"{one} and {other} are alike and lie on opposite sides"
    return None


def _side(one: _Place, other: _Place) -> int:
    """1 or -1 where one lies clearly right or left of another of its size, else 0."""
    apart, reach = one.mean - other.mean, one.deviation + other.deviation
    sizes = np.array([(one.voxels + 1) / (other.voxels + 1)])
    ratios = np.concatenate([sizes, (one.deviation + 1) / (other.deviation + 1)])
    alike = bool(np.all((ratios < _ALIKE) & (ratios > 1 / _ALIKE)))
    beside = abs(apart[0]) > max(reach[0], 2 * abs(apart[1]), 2 * abs(apart[2]))
    return int(np.sign(apart[0])) if alike and beside else 0
