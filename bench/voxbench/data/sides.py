"""Sides in the names of classes: which are the left and the right of one structure.

Names are read as data sets spell them: `kidney_left`, `LeftKidney`, `kidneyL`, `RK`, `rkid`,
`lh_cortex`, `Eye_AL`, `Niere rechts`. Two names are twins where one becomes the other when its side
is exchanged, so that `liver` and `river` are nothing special until both are in one task.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import combinations

_LEFT = (
    *("left", "links", "linke", "gauche", "izquierda", "izquierdo", "esquerda", "esquerdo"),
    *("sinistra", "sinistro", "sinister", "sin", "sx"),
)
_RIGHT = (
    *("right", "rechts", "rechte", "droite", "droit", "derecha", "derecho", "direita", "direito"),
    *("destra", "destro", "dexter", "dextra", "dx"),
)
_SHORT = {"l": "L", "lt": "L", "lh": "L", "r": "R", "rt": "R", "rh": "R"}
_SIDES = dict.fromkeys(_LEFT, "L") | dict.fromkeys(_RIGHT, "R") | _SHORT
_WORD = re.compile(  # L5 is a vertebra, kidneyL a side
    r"(?<![a-zA-Z])[a-zA-Z]\d+|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]+|\d+"
)
_INSIDE = re.compile("left|right|左|右")  # in a name without any separator

_SINGLE = re.compile(  # but the lateral ventricles of the brain are a pair
    "^(?!.*lateral).*(ventric|atri|auric|coronar|hepatic|liver|gastric|colic)"
)

_FIRST_SIDE = re.compile(r"(^|[^a-z])(left|right|l|r|lt|rt)([^a-z]|$)")
_ANTERIOR = re.compile(r"(^|[^a-z])(anterior|posterior)([^a-z]|$)")
_SUPERIOR = re.compile(r"(^|[^a-z])(superior|inferior|upper|lower)([^a-z]|$)")
_SERIES = re.compile(r"vertebra|rib|dis[ck]|(^|[^a-z])[ctls]_?\d")  # numbered from top to bottom


def sided_names(classes: Sequence[str]) -> str | None:
    """Why left and right differ in a task, by the names of its classes; None if they do not say.

    A class that is one of two in the body counts even where its twin is no class of the task: the
    mirrored other one would look like it. A left ventricle of the heart has no twin.
    """
    for one, other in combinations(classes, 2):
        if _twins(one, other):
            return f"{one} and {other} are two sides"
    for name in classes:
        if _read(name)[1] and not _SINGLE.search(name.lower()):
            return f"{name} is one side"
    return None


def ordered_names(classes: Iterable[str]) -> dict[str, str]:
    """Why front and back (`A`), or top and bottom (`S`), differ in a task, by names."""
    found: dict[str, str] = {}
    series: dict[str, str] = {}
    for name in classes:
        lower = name.lower()
        for axis, words in (("A", _ANTERIOR), ("S", _SUPERIOR)):
            if words.search(lower):
                found.setdefault(axis, f"{name} says where it lies")
        if _SERIES.search(lower) and re.search(r"\d", name):
            first = series.setdefault(re.sub(r"\d+", "#", lower), name)
            if first != name:
                found.setdefault("S", f"{first} and {name} are of one series")
    return found


def axes_before(classes: Iterable[str]) -> str:
    """The axes that were mirrored by the first rule: all but those that a word in a name told."""
    names = [name.lower() for name in classes]
    words = {"R": _FIRST_SIDE, "A": _ANTERIOR, "S": _SUPERIOR}
    return "".join(axis for axis, told in words.items() if not any(map(told.search, names)))


def _read(name: str) -> tuple[tuple[str, ...], str]:
    """The words of a name but for its side, sorted, and its side: L, R or nothing."""
    words = [word.lower() for word in _WORD.findall(name)]
    sides = {_SIDES[word] for word in words if word in _SIDES}
    rest = tuple(sorted(word for word in words if word not in _SIDES))
    return rest, sides.pop() if len(sides) == 1 and rest else ""


def _twins(one: str, other: str) -> bool:
    (rest, side), (others_rest, others_side) = _read(one), _read(other)
    if rest == others_rest and {side, others_side} == {"L", "R"}:
        return True
    plain, others_plain = (
        _INSIDE.sub("#", re.sub(r"[\W_]+", "", name.lower())) for name in (one, other)
    )
    apart = [{a, b} for a, b in zip(plain, others_plain, strict=False) if a != b]
    same_length = len(plain) == len(others_plain)
    if not apart:
        return same_length and one.lower() != other.lower() and "#" in plain
    return same_length and all(pair == {"l", "r"} for pair in apart)
