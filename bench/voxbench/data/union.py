"""Several data sets as one source of pre-training, each with labels of its own classes, or none.

Classes are one where their names are, however they are spelled (`design.structures`). A case is
annotated with the classes of its own data set alone: whether its background holds one of the others
nobody has said. So a loss must leave them out, a sigmoid a class: the masked back-propagation of
the Universal Model (Liu et al., ICCV 2023), whose classes are united by name too and whose loss is
the mean over the annotated pairs of case and class.

MultiTalent (Ulrich et al., MICCAI 2023) leaves them out as well, but keeps every data set's classes
apart, sums over them, takes a class's Dice over the whole batch, and draws a data set by the root
of its size. Here each case is seen once a round: a data set counts by its number of cases.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from voxbench.api import Case, TaskCard
from voxbench.data.dataset import Dataset
from voxbench.data.folder_card import card_name
from voxbench.data.mirroring import Mirroring
from voxbench.data.sides import axes_before, ordered_names, sided_names
from voxbench.data.split import Split
from voxbench.design.cell import digest
from voxbench.design.structures import canonical
from voxbench.errors import SpecError, first_rule


def unite(members: Sequence[Dataset], name: str) -> Dataset:
    """Data sets as one, whatever the order they are given in.

    Cases and patients are called `<data set>/<name>`.

    Args:
        members: at least two.
        name: what messages call the union.

    Raises:
        SpecError: two have one name, they differ in the number of channels, or have too many
            classes together.
    """
    members = sorted(members, key=lambda member: member.card.name)
    names = [member.card.name for member in members]
    if repeated := sorted({one for one in names if names.count(one) > 1}):
        raise SpecError(
            f"source {name!r}: {', '.join(repeated)} is in it twice; give one another `title`."
        )
    channels = {member.card.name: len(member.card.channels) for member in members}
    if len({*channels.values()}) > 1:
        told = ", ".join(f"{one} {count}" for one, count in channels.items())
        raise SpecError(f"source {name!r}: its data sets differ in their channels: {told}.")
    card = _card(members, name)
    return Dataset(
        card=card,
        split=_split(members),
        mirroring=_mirroring(members, card),
        identity=digest(["union", [[member.card.name, member.identity] for member in members]]),
        notes=tuple(_notes(members, card)),
        files={path: sha256 for member in members for path, sha256 in member.files.items()},
        members=tuple(members),
    )


def own_cases(union: Dataset, cases: Sequence[Case]) -> Iterator[tuple[Dataset, list[Case]]]:
    """The data sets that cases are of, each with its own as it calls them; in a fixed order."""
    chosen = {case.id for case in cases}
    for member in union.members:
        own = [case for case in member.split.train if _called(member, case).id in chosen]
        if own or not chosen:
            yield member, own


def renaming(union: TaskCard, card: TaskCard) -> dict[str, str]:
    """What a data set's network tells apart → what the union calls it."""
    known = {canonical(name): name for name in union.classes}
    return {part: known[canonical(_full(card, part))] for part in card.parts}


def _full(card: TaskCard, part: str) -> str:
    """A part's name in a union; a part of regions without a name is of its data set alone."""
    return part if part in card.classes else f"{card.name} {part}"


def _card(members: Sequence[Dataset], name: str) -> TaskCard:
    cards = [member.card for member in members]
    parts: dict[str, str] = {}
    for card in cards:
        for part in card.parts:
            parts.setdefault(canonical(_full(card, part)), _full(card, part))
    modalities = [_shared([card.modalities[i] for card in cards], "other") for i in _range(cards)]
    fields: dict[str, Any] = {
        "name": card_name(name),
        "modality": tuple(modalities),
        "channels": cards[0].channels,
        "classes": {part: value for value, part in enumerate(parts.values(), start=1)},
        "spacing_mm": _shared([card.spacing_mm for card in cards], None),
        "tolerance_mm": dict.fromkeys(parts.values(), 1.0),
        "window": cards[0].window,
        "licence": "; ".join(dict.fromkeys(card.licence for card in cards)),
        "reference": "; ".join(dict.fromkeys(card.reference for card in cards)),
        "corpora": tuple(dict.fromkeys(c for card in cards for c in card.corpora or (card.name,))),
    }
    try:
        return TaskCard(**fields)
    except ValidationError as error:
        raise SpecError(f"source {name!r}: {first_rule(error)}.") from None


def _range(cards: Sequence[TaskCard]) -> range:
    return range(len(cards[0].channels))


def _shared(values: Sequence[Any], other: Any) -> Any:
    return values[0] if all(value == values[0] for value in values) else other


def _split(members: Sequence[Dataset]) -> Split:
    def all_of(part: str) -> tuple[Case, ...]:
        cases = (_called(member, c) for member in members for c in getattr(member.split, part))
        return tuple(sorted(cases, key=lambda case: case.id))

    sha256 = digest([[member.card.name, member.split.sha256] for member in members])
    return Split(all_of("train"), all_of("validation"), all_of("test"), sha256)


def _called(member: Dataset, case: Case) -> Case:
    prefix = member.card.name
    return replace(case, id=f"{prefix}/{case.id}", patient=f"{prefix}/{case.patient}")


def _mirroring(members: Sequence[Dataset], card: TaskCard) -> Mirroring:
    """What each data set allows, and the names of all classes together."""
    reasons: dict[str, str] = ordered_names(card.classes)
    if sided := sided_names(tuple(card.classes)):
        reasons["R"] = sided
    for member in members:
        reasons |= {
            axis: f"{member.card.name}: {why}" for axis, why in member.mirroring.reasons.items()
        }
    axes = "".join(axis for axis in "RAS" if axis not in reasons)
    aside = next((m.mirroring.aside for m in members if m.mirroring.aside), "")
    return Mirroring(axes, dict(sorted(reasons.items())), axes_before(card.classes), aside)


def _notes(members: Sequence[Dataset], card: TaskCard) -> Iterator[str]:
    """What the union is made of, and in what its data sets are not alike."""
    sizes = ", ".join(f"{len(m.split.train)} of {m.card.name}" for m in members)
    yield f"training volumes: {sizes}"
    owners: Mapping[str, list[str]] = {part: [] for part in card.classes}
    for member in members:
        for part in dict.fromkeys(renaming(card, member.card).values()):
            owners[part].append(member.card.name)
    if owners:
        shared = [f"{part} ({', '.join(own)})" for part, own in owners.items() if own[1:]]
        yield f"{len(owners)} classes, of several data sets: {', '.join(shared) or 'none'}"
    grids = {m.card.name: m.card.preprocessing for m in members}
    if len({*grids.values()}) > 1:
        yield (
            f"{', '.join(grids)} differ in spacing or intensities, and each is prepared by its own "
            "rules; give them one `spacing_mm` for one grid"
        )
