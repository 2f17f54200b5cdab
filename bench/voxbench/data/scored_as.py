"""A task whose cases are scored in the official way of a data set."""

from collections.abc import Iterator

from voxbench.api import TaskCard
from voxbench.errors import SpecError
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
