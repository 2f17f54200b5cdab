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
    """One spelling for `kidney_left`, `Left kidney` and `kidney (L)`, in letters of any script."""
    words = re.findall(r"[^\W_]+", name.lower())
    sides = sorted(_SIDES[word] for word in words if word in _SIDES)
    part = "".join(word for word in words if word not in _SIDES)
    return " ".join([_ALSO.get(part, part), *sides])


def shared(outputs: Sequence[str], classes: Iterable[str]) -> Mapping[str, int]:
    """The classes that are among a head's outputs: class → position of the first such output."""
    positions: dict[str, int] = {}
    for position, output in enumerate(outputs):
        positions.setdefault(canonical(output), position)
    return {name: positions[canonical(name)] for name in classes if canonical(name) in positions}
