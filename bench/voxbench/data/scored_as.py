"""How the cases of a task are scored: voxbench's own way, or the official one of a data set."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from voxbench.api import IGNORED, TaskCard
from voxbench.data.nifti import Volume
from voxbench.errors import SpecError
from voxbench.metrics.case import ClassMetrics
from voxbench.metrics.evaluate import evaluate
from voxbench.metrics.labels import LabelValues
from voxbench.metrics.official import find_scoring


def scored_as(card: TaskCard, scoring: str | None) -> TaskCard:
    """The card with an official scoring and its tolerances; as it is where none is named.

    Raises:
        SpecError: there is no such scoring, or it does not score a class of the card.
    """
    if scoring is None:
        return card
    try:
        official = find_scoring(scoring)
        own = {name: official.tolerance_of(name) for name in card.classes}
    except SpecError as error:
        raise SpecError(f"task {card.name!r}: scoring: {error}") from None
    tolerances = {name: card.tolerance_mm[name] if mm is None else mm for name, mm in own.items()}
    return card.model_copy(update={"scoring": scoring, "tolerance_mm": tolerances})


def scoring_notes(card: TaskCard) -> Iterator[str]:
    """Whose way to score it is, for plan and record."""
    if card.scoring:
        official = find_scoring(card.scoring)
        yield f"scored as {card.scoring} ({official.source}): {official.told}"


def score_labels(
    prediction: NDArray[np.uint8],
    reference: Volume,
    classes: Mapping[str, LabelValues],
    card: TaskCard,
) -> dict[str, ClassMetrics]:
    """What a label map scores, where its reference is annotated, in the way that the card names.

    Args:
        prediction: class indices (d, h, w) on the reference's grid.
        reference: of class indices, or `IGNORED`.
        classes: name → its index, or all indices of a region.
        card: of the task.
    """
    annotated = np.where(reference.array == IGNORED, 0, prediction)
    measured = annotated, reference.array, classes, reference.spacing_mm, card.tolerance_mm
    if card.scoring is None:
        return evaluate(*measured)
    return find_scoring(card.scoring).measure(*measured, reference.body_axis)
