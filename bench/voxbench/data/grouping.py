"""Which cases may show one person, by their names alone.

Names are cut into fields at everything but letters and digits; fields that all names share at
either end (`BraTS-GLI-…`, `…_T1w`) say nothing. Names look grouped by the first of these rules by
which some share what stands before the cut, and not all of them do:

1. BIDS: the subject, `sub-01` of `sub-01_ses-2`.
2. Visits: what is left without visits, frames, phases, sides or dates at the end (`…_ED`,
   `…_frame01`, `…_ses-2`, `…v2`, `…b`, `…_20240131`).
3. Fields: the first field, or the first two, …, where the rest of the name recurs from prefix to
   prefix (`LIDC_0064_1`, `LIDC_0064_2`: no more different rests than prefixes), or where there
   are at most three cases a prefix. So `site2_001` … `site2_040` are no patient's.
"""

import re
from collections.abc import Mapping, Sequence

_FIELD = re.compile(r"[^\W_]+")
_SUBJECT = re.compile(r"(?:.*[\W_])?sub-[^\W_]+", re.IGNORECASE)
_WORDS = (
    "session|ses|visit|vis|timepoint|time|tp|baseline|bl|followup|fu|pre|post|scan|rescan|retest|"
    "frame|fr|phase|ph|ed|es|diastole|systole|run|rep|repeat|acq|exam|study|series|"
    "day|week|month|year|left|right|lt|rt|lh|rh|nodule|lesion|crop|roi|"
    "arterial|venous|portal|delayed|native|insp|exp|rest|stress|supine|prone"
)
_WORD = re.compile(_WORDS, re.IGNORECASE)
_VISIT = re.compile(rf"(?:{_WORDS}|[dfmtvwy])\d*|[a-elr]|(?:19|20)\d{{6}}", re.IGNORECASE)
_GLUED = re.compile(rf"(?<=\d)(?:(?:{_WORDS}|v|t)\d+|ed|es|pre|post|left|right|[a-elr])$", re.I)
_FEW = 3  # cases a prefix


def find_groups(cases: Sequence[str]) -> dict[str, str]:
    """Case → the start of its name that others share, or all of it; empty if names look apart."""
    for rule in (_by_subject, _by_visit, _by_field):
        if found := rule(cases):
            return found
    return {}


def describe_groups(groups: Mapping[str, str]) -> str:
    """How many cases and prefixes there are, with an example."""
    members: dict[str, list[str]] = {}
    for case, prefix in groups.items():
        members.setdefault(prefix, []).append(case)
    prefix, example = next(item for item in members.items() if len(item[1]) > 1)
    shown = ", ".join(example[:3]) + (", …" if example[3:] else "")
    return f"{len(groups)} cases, {len(members)} prefixes (as {prefix} of {shown})"


def _by_subject(cases: Sequence[str]) -> dict[str, str]:
    found = {case: _SUBJECT.match(case) for case in cases}
    return _shared({case: match[0] if match else case for case, match in found.items()})


def _by_visit(cases: Sequence[str]) -> dict[str, str]:
    return _shared({case: _without_visits(case, ends) for case, ends in _ends(cases).items()})


def _without_visits(case: str, ends: Sequence[int]) -> str:
    words = [_FIELD.findall(case[:end])[-1] for end in ends]
    kept = len(ends)
    while kept > 1 and (cut := _visit_fields(words[:kept])) and cut < kept:
        kept -= cut
    start = case[: ends[kept - 1]]
    return start if kept < len(ends) else _GLUED.sub("", start)


def _visit_fields(words: Sequence[str]) -> int:
    """How many of the last fields name a visit: one as `ED`, two as `ses-2`."""
    if _VISIT.fullmatch(words[-1]):
        return 1
    return 2 if words[-1].isdecimal() and _WORD.fullmatch(words[-2]) else 0


def _by_field(cases: Sequence[str]) -> dict[str, str]:
    ends = _ends(cases)
    for fields in range(1, max(map(len, ends.values()), default=0)):
        found = {case: case[: at[:fields][-1]] for case, at in ends.items()}
        prefixes = set(found.values())
        if len(prefixes) == len(cases):
            break
        rests = {case.removeprefix(prefix) for case, prefix in found.items()}
        if len(rests) <= len(prefixes) or len(cases) <= _FEW * len(prefixes):
            return _shared(found)
    return {}


def _ends(cases: Sequence[str]) -> dict[str, list[int]]:
    """Case → where its fields end, without those that all cases share at either end."""
    fields = {case: list(_FIELD.finditer(case)) for case in cases}
    words = [[field[0] for field in found] for found in fields.values()]
    fewest = min(map(len, words), default=0)
    first = _common(words, fewest - 1)
    last = _common([found[::-1] for found in words], fewest - 1 - first)
    return {
        case: [field.end() for field in found[first : len(found) - last]] or [len(case)]
        for case, found in fields.items()
    }


def _common(words: Sequence[Sequence[str]], most: int) -> int:
    """How many fields all begin with, at most so many."""
    for index in range(most):
        if len({found[index] for found in words}) > 1:
            return index
    return max(0, most)


def _shared(found: dict[str, str]) -> dict[str, str]:
    return found if 1 < len(set(found.values())) < len(found) else {}
