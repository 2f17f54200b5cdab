"""The card of a task that describes itself on disk: names, modality, grid, tolerances, corpora."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from pydantic import ValidationError

from voxbench.api import TaskCard
from voxbench.design.cell import digest
from voxbench.errors import DataError, first_rule, unknown


def card_name(name: str) -> str:
    """A name as cards allow it: lower case, digits, dots, dashes and underscores.

    One with letters of another script gets a digest, so that no two of them are one.
    """
    plain = re.sub(r"[^a-z0-9._]+", "-", name.lower()).strip("-._") or "unnamed"
    lost = any(letter.isalnum() and not letter.isascii() for letter in name)
    return f"{plain}-{digest(unicodedata.normalize('NFC', name))[:8]}" if lost else plain


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
    """That whose word is named first."""
    plain = re.sub(r"cT(?=[12])", "T", channel).upper()  # contrast-enhanced, or corrected, T1
    at = {name: re.search(f"(?:^|[^A-Z])(?:{words})", plain) for name, words in _MODALITIES.items()}
    found = {name: match.start() for name, match in at.items() if match}
    return min(found, key=lambda name: found[name], default="other")


_MODALITIES = {
    "CT": r"(?:NC|CE|CC|LD|HR|CB|D)?CT(?:A|P|PA|SCAN)?(?:[^A-Z]|$)|HU(?:[^A-Z]|$)",
    "PET": r"PET|PT(?:[^A-Z]|$)|SUV|FDG",
    "MR": "MR|T1|T2|FLAIR|ADC|DWI|PD",
}


def median_spacing(paths: Sequence[Path]) -> tuple[float, float, float]:
    """Median voxel size along R, A and S over the images that can be read, rounded.

    Raises:
        DataError: none can be read.
    """
    # nibabel, which listing the tasks can do without
    from voxbench.data.image import read_spacing, recall_grids

    recall_grids(paths)
    sizes, errors = [], []
    for path in paths:
        try:
            sizes.append(read_spacing(path))
        except DataError as error:  # reported case by case by prepare
            errors.append(str(error))
    if not sizes:
        first = errors[0] if errors else "there is none"
        raise DataError(f"no image whose header can be read: {first}")
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
    classes: Iterable[str],
    modality: str | Sequence[str],
    given: float | Iterable[str] | Mapping[str, float] | None,
    origin: Path | None = None,
) -> dict[str, float]:
    """The NSD tolerance of every class in mm.

    Args:
        classes: their names.
        modality: gives the tolerance of those that are not named: 2 mm in CT and PET, else 1 mm.
        given: of all classes, or by class: a table, or texts like "liver=5".
        origin: what a mistake is told of.

    Raises:
        DataError: a text names no class, or no number of millimetres.
    """
    kinds = {modality} if isinstance(modality, str) else {*modality}
    found = dict.fromkeys(classes, 2.0 if kinds & {"CT", "PET"} else 1.0)
    if given is None:
        return found
    if isinstance(given, int | float):
        return dict.fromkeys(found, float(given))
    texts = (f"{k}={v}" for k, v in given.items()) if isinstance(given, Mapping) else given
    for text in texts:
        name, _, number = str(text).rpartition("=")
        if name not in found:
            raise DataError(f"{origin}: tolerance_mm: {unknown('class', name, found)}")
        try:
            found[name] = float(number)
        except ValueError:
            raise DataError(
                f"{origin}: tolerance_mm: expected millimetres for {name!r}, got {number!r}."
            ) from None
    return found


def corpora_of(description: Mapping[str, Any], origin: Path, name: str) -> tuple[str, ...]:
    """The corpora that a folder's description names; by default the card's own name.

    Raises:
        DataError: they are no list of names.
    """
    given = description.get("corpora", [name])
    if not isinstance(given, list) or not all(isinstance(one, str) and one for one in given):
        raise DataError(f'{origin}: corpora: expected ["LiTS", …], got {given!r}.')
    return tuple(given)
