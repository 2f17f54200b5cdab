"""Anatomical structures by name, however a data set spells them."""

import re
from collections.abc import Iterable, Mapping, Sequence

_SIDES = {"left": "left", "l": "left", "right": "right", "r": "right"}
_ALSO = {
    "postcava": "inferiorvenacava",
    "ivc": "inferiorvenacava",
    "urinarybladder": "bladder",
    "oesophagus": "esophagus",
}


def canonical(name: str) -> str:
    """One spelling for `kidney_left`, `Left kidney` and `kidney (L)`."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    sides = sorted(_SIDES[word] for word in words if word in _SIDES)
    rest = "".join(word for word in words if word not in _SIDES)
    return " ".join([_ALSO.get(rest, rest), *sides])


def shared(outputs: Sequence[str], classes: Iterable[str]) -> Mapping[str, int]:
    """The classes that are among a head's outputs: class → place of the first such output."""
    places: dict[str, int] = {}
    for place, output in enumerate(outputs):
        places.setdefault(canonical(output), place)
    return {name: places[canonical(name)] for name in classes if canonical(name) in places}
