"""How the makers of a data set score it, where that is not voxbench's own way.

What is measured (tolerances, slices, boundaries) is told apart from what an empty mask counts as:
records of a sweep hold what was measured, in which two empty masks are undefined; `voxbench score`
counts them as the makers do.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.design.structures import canonical
from voxbench.errors import SpecError, unknown
from voxbench.metrics.case import ClassMetrics, Definition
from voxbench.metrics.empty import FAILED
from voxbench.metrics.evaluate import evaluate
from voxbench.metrics.labels import LabelValues, label_set

_SHORT = {
    "rk": "right kidney", "lk": "left kidney", "rag": "right adrenal gland",
    "lag": "left adrenal gland", "wt": "whole tumour", "tc": "tumour core",
    "et": "enhancing tumour", "tumor": "tumour",
}  # fmt: skip
"""Names in the makers' own code → those of the cards."""


class Scoring(NamedTuple):
    """An official way to score.

    Attributes:
        source: of every number here: the makers' code or text.
        told: what it does, and where voxbench does otherwise.
        classes: class → its value, or those of its region, in the label maps as released; empty
            where it takes any.
        tolerance_mm: of NSD, one number or one a class; None where the makers name none.
        sliced: classes scored in the slices of the reference alone.
        least_dice: Dice below which NSD is 0.
        definition: of a boundary.
        added_voxels: voxels that Dice has more in its denominator.
        both_empty: Dice and NSD of two empty masks; NaN where they are not scored.
        reference_empty: those of a class that the reference alone lacks.
    """

    source: str
    told: str
    classes: Mapping[str, LabelValues] = {}
    tolerance_mm: Mapping[str, float] | float | None = None
    sliced: frozenset[str] = frozenset()
    least_dice: float = 0.0
    definition: Definition = "surface"
    added_voxels: int = 0
    both_empty: float = math.nan
    reference_empty: float = 0.0

    def name_of(self, name: str) -> str:
        """The name that a class has here, however a data set spells it.

        Raises:
            SpecError: it is none of those that are scored.
        """
        names = {canonical(known): known for known in self.classes}
        spelled = canonical(_SHORT.get(name.lower(), name))
        if names and spelled not in names:
            values = (f"{known}={_written(value)}" for known, value in self.classes.items())
            raise SpecError(
                f"{unknown('class of this scoring', name, self.classes)} It scores"
                f" {', '.join(values)} of the label maps as released."
            )
        return names.get(spelled, name)

    def tolerance_of(self, name: str) -> float | None:
        """The NSD tolerance of a class in mm; None where the makers name none.

        Raises:
            SpecError: it is none of those that are scored.
        """
        known = self.name_of(name)
        return (
            self.tolerance_mm[known]
            if isinstance(self.tolerance_mm, Mapping)
            else self.tolerance_mm
        )

    def measure(
        self,
        prediction: NDArray[Any],
        reference: NDArray[Any],
        classes: Mapping[str, LabelValues],
        spacing_mm: tuple[float, ...],
        tolerance_mm: Mapping[str, float],
        across: int = -1,
        threads: int | None = None,
    ) -> dict[str, ClassMetrics]:
        """What this scoring measures of two label maps (d, h, w) or (h, w); see `evaluate`.

        Empty masks score as in `evaluate`. What is told of a sliced class, its volumes too, is
        of its slices.

        Args:
            prediction: of any integer dtype.
            reference: of the same shape.
            classes: name → its label, or all labels of a region.
            spacing_mm: one number per axis.
            tolerance_mm: of every class.
            across: the axis that the slices follow one another along.
            threads: to work with.

        Raises:
            SpecError: a class is none of those that are scored.
            DataError: the arrays can't be compared.
        """
        scores: dict[str, ClassMetrics] = {}
        whole = {n: v for n, v in classes.items() if self.name_of(n) not in self.sliced}
        for group in (whole, *({n: v} for n, v in classes.items() if n not in whole)):
            pair = prediction, reference
            if group is not whole and reference.ndim == 3:
                (value,) = group.values()
                part = _labelled_slices(np.isin(reference, list(label_set(value))), across)
                pair = prediction[part], reference[part]
            scores |= evaluate(
                *pair,
                group,
                spacing_mm,
                tolerance_mm,
                self.definition,
                exact=True,
                threads=threads,
            )
        return {name: self._adjusted(scores[name]) for name in classes}

    def counted(self, score: ClassMetrics) -> ClassMetrics:
        """A score with what the makers count where the reference is empty."""
        if score.voxels_reference:
            return score
        alone = score.voxels_prediction or score.flag == FAILED
        empty = self.reference_empty if alone else self.both_empty
        return score._replace(dice=empty, nsd=empty)

    def _adjusted(self, score: ClassMetrics) -> ClassMetrics:
        both = score.voxels_prediction + score.voxels_reference
        if self.added_voxels and both:
            score = score._replace(dice=2 * score.voxels_both / (both + self.added_voxels))
        return score._replace(nsd=0.0) if score.dice < self.least_dice else score


def _labelled_slices(mask: NDArray[np.bool_], across: int) -> tuple[slice, ...]:
    """From the first slice with `mask` to the one before the last; a single one as it is."""
    across %= mask.ndim
    found = np.flatnonzero(mask.any(axis=tuple(set(range(mask.ndim)) - {across})))
    part = slice(found[0], max(found[-1], found[0] + 1)) if found.size else slice(None)
    return (*[slice(None)] * across, part)


def _written(value: LabelValues) -> str:
    return "+".join(map(str, sorted(label_set(value))))
