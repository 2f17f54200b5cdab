"""The cases of a folder that describes itself: who is who among them, and how they are parted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from voxbench.api import Case, Part
from voxbench.data.case_names import some
from voxbench.data.patients import Patients, find_patients
from voxbench.data.published_split import OWN, PublishedSplit, find_split
from voxbench.errors import DataError, SpecError


class FolderCases(NamedTuple):
    """Cases with their patients.

    Attributes:
        parts: as `Task.cases` gives them.
        notes: where patients and split were found, a sentence each.
    """

    parts: Mapping[Part, Sequence[Case]]
    notes: tuple[str, ...]


def arrange_cases(
    root: Path,
    found: Mapping[Part, Sequence[Case]],
    patients: str | None,
    split: str | None,
    subjects: Mapping[str, str] | None = None,
) -> FolderCases:
    """Find out who is who and whether a split was published.

    Args:
        root: folder of the data.
        found: cases by the part that their folder names, "train" where it names none, or
            "unlabelled"; who they show is left open.
        patients: what the sweep says of who is who: see `find_patients`.
        split: "own" leaves a published split aside: what lies in folders of other parts too.
        subjects: case → person, where the names of the files say so by the rules of a standard.

    Raises:
        SpecError: `split` is something else.
        DataError: what lies beside the data can't be read, contradicts itself or the data, or
            leaves open who is who.
    """
    if split not in (None, "own"):
        raise SpecError(f'{root}: split: expected "own" or nothing, got {split!r}.')
    aside = ""
    if split == "own" and found.keys() - _ANYONE:
        others = sum(len(cases) for part, cases in found.items() if part not in _ANYONE)
        aside = f"; {others} cases in folders of other parts are left out"
        found = {part: cases for part, cases in found.items() if part in _ANYONE}
    cases = {case.id: case for part in found for case in found[part]}
    if len(cases) < sum(map(len, found.values())):
        raise DataError(f"{root}: cases of two parts have one name ({some(_double(found))}). {OWN}")
    if subjects and patients is None:
        who = Patients(dict(subjects), f"{len({*subjects.values()})} subjects by the files' names")
    else:
        who = find_patients(root, list(cases), patients)
    cases = {name: replace(cases[name], patient=who.of[name]) for name in sorted(cases)}
    further = {case.id: cases.pop(case.id) for case in found.get("unlabelled", ())}
    notes = [f"patients: {who.told}"]
    if split == "own":
        notes.append(f"split: by patient, as `split` says{aside}")
        return _with_further({"all": [*cases.values()]}, further, notes)
    placed = {part: [case.id for case in found[part]] for part in found}
    placed["train"] = [*placed.get("train", ()), *placed.pop("unlabelled", ())]
    published = find_split(root, placed)
    if published is None:
        return _with_further({"all": [*cases.values()]}, further, notes)
    trained = {name for name in further if published.part_of.get(name, "train") == "train"}
    named = {name: part for name, part in published.part_of.items() if name in cases}
    parts, told = _parted(root, cases, published._replace(part_of=named))
    further = {name: further[name] for name in further if name in trained}
    return _with_further(parts, further, [*notes, f"split: {told}"])


_ANYONE: frozenset[Part] = frozenset({"train", "unlabelled"})
"""Parts of what no folder sets aside."""
_UNLABELLED = (
    "nobody labelled these images: they can pre-train what needs no labels; as many are held out "
    "as if they had labels (images-folder takes all of a folder)"
)


def _with_further(
    parts: Mapping[Part, Sequence[Case]], further: Mapping[str, Case], notes: Sequence[str]
) -> FolderCases:
    """The cases with those that nobody labelled."""
    if parts and all(case.label is None for cases in parts.values() for case in cases):
        notes = [*notes, _UNLABELLED]
    if not further:
        return FolderCases(parts, tuple(notes))
    told = f"images without a label: {len(further)}, for pre-training that needs none"
    return FolderCases({**parts, "unlabelled": [*further.values()]}, (*notes, told))


def _double(found: Mapping[Part, Sequence[Case]]) -> Iterator[str]:
    seen: set[str] = set()
    for cases in found.values():
        yield from (case.id for case in cases if case.id in seen)
        seen |= {case.id for case in cases}


def _parted(
    root: Path, cases: Mapping[str, Case], split: PublishedSplit
) -> tuple[Mapping[Part, Sequence[Case]], str]:
    """The parts that a published split makes of the cases, and what is told of it."""
    parts: dict[Part, list[Case]] = {"train": [], "validation": [], "test": []}
    for name in sorted(split.part_of):
        parts[split.part_of[name]].append(cases[name])
    tested: Part = "test" if parts["test"] else "validation"
    if not parts["train"]:
        raise DataError(f"{root}: {split.origin} has no case here to train on. {OWN}")
    if not parts[tested]:
        return {"all": [*cases.values()]}, f"by patient; {split.origin} has no case here to test on"
    _check_patients(root, parts, split)
    told = ", ".join(f"{len(parts[part])} {part}" for part in parts if parts[part])
    told = f"published, by {split.origin}: {told}"
    if tested == "validation":
        parts = {"train": parts["train"], "test": parts["validation"]}
        told += ", on which is tested; an eighth of the training patients validates"
    elif not parts["validation"]:
        del parts["validation"]
        told += "; an eighth of the training patients validates"
    if left := cases.keys() - split.part_of.keys():
        told += f"; left out, as it names no part of them: {some(left)}"
    return parts, told


def _check_patients(
    root: Path, parts: Mapping[Part, Sequence[Case]], split: PublishedSplit
) -> None:
    seen: dict[str, Part] = {}
    for part, cases in parts.items():
        for case in cases:
            if seen.setdefault(case.patient, part) != part:
                raise DataError(
                    f"{root}: {split.origin} has patient {case.patient!r} in {seen[case.patient]} "
                    f"and in {part}. {OWN}"
                )
