"""Which case a name means that a table or a list calls it by."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from voxbench.errors import DataError

_ENDING = re.compile(r"(?:_0000)?\.(?:nii|nrrd|mha|mhd|npz|img|hdr)(?:\.gz)?$")


class ShiftedNumbersError(DataError):
    """A table or list numbers the cases from another start than their ids do."""


def match_names(
    names: Iterable[str], cases: Sequence[str], *, numbers: bool = True
) -> dict[str, list[str]]:
    """Case → the names that mean it, by the strictest rule by which most names mean one.

    Rules, each looser than the one before: as it is; without folder, ending of an image file (and
    number of its channel) and capitals; without the zeros that pad a number; by the number alone,
    where one side has nothing else and the other the same word everywhere. A rule by which two
    cases are called alike is none.

    Args:
        names: of a table, perhaps repeated.
        cases: ids.
        numbers: use the last rule.
    """
    given = [*dict.fromkeys(filter(None, names))]
    found: dict[str, list[str]] = {}
    rules: list[Callable[[str], str]] = [str, _bare, _unpadded]
    for rule in (*rules, *([_number(given, cases)] if numbers else [])):
        known = {rule(case): case for case in cases}
        if len(known) < len(cases):
            continue
        matched: dict[str, list[str]] = {}
        for name in given:
            if (case := known.get(rule(name))) is not None:
                matched.setdefault(case, []).append(name)
        if sum(map(len, matched.values())) > sum(map(len, found.values())):
            found = matched
    return found


def refuse_shifted(origin: str, names: Iterable[str], cases: Sequence[str]) -> None:
    """Refuse numbers that lie one beside those of the cases, so that each means its neighbour.

    They do so where numbers alone mean cases and all are one further, or all one less; or where
    they count from 1 and the cases from 0, and there are further ones.

    Args:
        origin: of the names, for the error.
        names: all that a table, or a set of lists, calls cases by.
        cases: ids.

    Raises:
        ShiftedNumbersError: it is so.
    """
    named = {*filter(None, names)}
    bare = [name for name in named if _unpadded(name).isdecimal()] or [*named]
    rule = _number(bare, cases)
    told, here = ({rule(name) for name in side} for side in (bare, cases))
    if not (told & here and all(map(str.isdecimal, told | here))):
        return
    numbers, ids = {*map(int, told)}, {*map(int, here)}
    further, less = ({number + by for number in ids} for by in (1, -1))
    from_one = (min(ids), min(numbers)) == (0, 1) and numbers > further
    if from_one or numbers in (further, less):
        raise ShiftedNumbersError(
            f"{origin}: numbers the cases from {min(numbers)} to {max(numbers)}, but their ids go "
            f"from {min(ids)} to {max(ids)} ({some(cases)}): each would be taken for its "
            "neighbour. Write the ids there, as the files of the cases are called."
        )


def match_starts(names: Iterable[str], cases: Sequence[str]) -> dict[str, str]:
    """Case → the longest name that it begins with: `sub-1`, or `01`, of `sub-01_ses-2`."""
    starts: dict[str, str] = {}
    for name in filter(None, names):
        plain = _unpadded(name)
        starts |= {plain: name, f"sub-{plain}": name}
    found = {}
    for case in cases:
        plain = _unpadded(case)
        ends = [len(plain), *(at.start() for at in reversed([*re.finditer(r"[\W_]", plain)]))]
        if start := next((plain[:end] for end in ends if plain[:end] in starts), None):
            found[case] = starts[start]
    return found


def some(names: Iterable[str]) -> str:
    """The first three of some names, and how many there are if there are more."""
    listed = sorted(set(names))
    return (", ".join(listed[:3]) + (f", … ({len(listed)})" if listed[3:] else "")) or "none"


def _bare(name: str) -> str:
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name.strip()))[-1]
    return _ENDING.sub("", last.lower())


def _unpadded(name: str) -> str:
    plain = re.sub(r"^(\d+)\.0$", r"\1", _bare(name))  # as a column of numbers with gaps is saved
    return re.sub(r"[0-9]+", lambda number: str(int(number[0])), plain)


def _number(*sides: Sequence[str]) -> Callable[[str], str]:
    """The number alone; nothing looser than before where words tell names apart."""
    words = [{re.sub(r"[0-9]+", "#", _unpadded(name)) for name in side} for side in sides]
    if {"#"} in words and all([word.count("#") for word in side] == [1] for side in words):
        return lambda name: re.sub(r"[^0-9]", "", _unpadded(name))
    return _unpadded
