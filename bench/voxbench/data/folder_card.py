"""The card of a task that describes itself on disk: names, modality, grid, tolerances, corpora."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from pydantic import ValidationError

from voxbench.api import TaskCard
from voxbench.errors import DataError, first_rule


def card_name(name: str) -> str:
    """A name as cards allow it: lower case, digits, dots, dashes and underscores."""
    return re.sub(r"[^a-z0-9._]+", "-", name.lower()).strip("-._") or "unnamed"


def modality_of(channels: Sequence[str]) -> str | tuple[str, ...]:
    """CT, MR, PET or other, from the names of the channels; one a channel where they differ.

    A channel of an unknown name beside MR or PET has the same intensity rule, and counts as these.
    """
    found = tuple(_modality(name) for name in channels)
    known = set(found) - {"other"}
    if len(known) == 1 and known != {"CT"}:
        return known.pop()
    return found[0] if len(set(found)) == 1 else found


def _modality(channel: str) -> str:
    for modality, words in _MODALITIES.items():
        if re.search(rf"(^|[^A-Z])({words})", channel.upper()):
            return modality
    return "other"


_MODALITIES = {"CT": r"CT([^A-Z]|$)", "PET": "PET", "MR": "MR|T1|T2|FLAIR|ADC|DWI|PD"}


def median_spacing(paths: Sequence[Path]) -> tuple[float, float, float]:
    """Median voxel size along R, A and S over the images that can be read, rounded.

    Raises:
        DataError: none can be read.
    """
    from voxbench.data.image import read_spacing  # nibabel, which listing the tasks can do without

    sizes = []
    for path in paths:
        try:
            sizes.append(read_spacing(path))
        except DataError:  # reported case by case by prepare
            continue
    if not sizes:
        raise DataError(f"{paths[0] if paths else 'task'}: no image whose header can be read.")
    a, b, c = (_rounded(median(axis)) for axis in zip(*sizes, strict=True))
    return a, b, c


def _rounded(mm: float) -> float:
    return round(mm, 2) if mm >= 0.1 else float(f"{mm:.3g}")


def make_card(origin: Path, **fields: Any) -> TaskCard:
    """A card, or one clear line about the folder that it was read from.

    Raises:
        DataError: a field breaks a rule of `TaskCard`.
    """
    try:
        return TaskCard(**fields)
    except ValidationError as error:
        raise DataError(f"{origin}: {first_rule(error)}.") from None


def tolerances(
    classes: Iterable[str], modality: str | Sequence[str], given: float | None
) -> dict[str, float]:
    """The NSD tolerance of every class: as given, else 2 mm in CT and PET, 1 mm in others."""
    kinds = {modality} if isinstance(modality, str) else {*modality}
    value = given if given is not None else 2.0 if kinds & {"CT", "PET"} else 1.0
    return dict.fromkeys(classes, value)


def corpora_of(description: Mapping[str, Any], origin: Path, name: str) -> tuple[str, ...]:
    """The corpora that a folder's description names; by default the card's own name.

    Raises:
        DataError: they are no list of names.
    """
    given = description.get("corpora", [name])
    if not isinstance(given, list) or not all(isinstance(one, str) and one for one in given):
        raise DataError(f'{origin}: corpora: expected ["LiTS", …], got {given!r}.')
    return tuple(given)
