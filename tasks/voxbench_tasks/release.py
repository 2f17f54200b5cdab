"""A public data set, read as its makers released it and split as they published."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, NamedTuple

from voxbench.api import Case, Part, Task, added
from voxbench.errors import DataError, SpecError

from voxbench_tasks.place import Place


def numbered(*names: str) -> dict[str, int | tuple[int, ...]]:
    """Classes with the values 1, 2, … in the order of a release's label map."""
    return {name: value for value, name in enumerate(names, start=1)}


class _Arranged(NamedTuple):
    parts: Mapping[Part, Sequence[Case]]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Release(Task):
    """A public data set in its own layout.

    Attributes:
        split: "own" parts the cases of the training folders by patient, whatever was published.
        keep_known_bad: use the cases, too, whose errors are known.
    """

    split: str | None = added(None)
    keep_known_bad: bool = added(False)

    places: ClassVar[tuple[Place, ...]]
    """Where the files lie, by part."""
    published: ClassVar[str]
    """The published split and whose it is, in words."""
    held_out: ClassVar[Mapping[Part, tuple[str, ...]]] = {}
    """Ids among the training files that a published list validates or tests on."""
    known_bad: ClassVar[Mapping[str, str]] = {}
    """Id → what is known to be wrong with the case, and who says so."""
    origin: ClassVar[str]
    """Where to get the data."""

    def cases(self) -> Mapping[Part, Sequence[Case]]:
        """The cases of each published part, without those that are known to be bad."""
        return self._arranged.parts

    @property
    def notes(self) -> Sequence[str]:
        """Whose split it is, and which cases are left out for what."""
        return self._arranged.notes

    def patient(self, case: str) -> str:
        """Who a case shows; each is a patient of its own, unless a data set knows better."""
        return case

    def listed(self, cases: Iterable[str]) -> Mapping[str, Part]:
        """Case → the part that a published list names; of others the part of their folder."""
        return {
            case: part for case in cases for part in self.held_out if case in self.held_out[part]
        }

    def wrong(self, case: Case) -> str | None:
        """What is known to be wrong with a case; None where nothing is."""
        return self.known_bad.get(case.id)

    @cached_property
    def _arranged(self) -> _Arranged:
        if self.split not in (None, "own"):
            raise SpecError(f'{self.root}: split: expected "own" or nothing, got {self.split!r}.')
        placed = [(place.part, case) for place in self.places for case in self._cases(place)]
        if not placed:
            missing = " or ".join(dict.fromkeys(place.images[0] for place in self.places))
            raise DataError(f"{self.root}: no {missing} in it. {self.origin}")
        bad = {case.id: why for _, case in placed if (why := self.wrong(case))}
        told = [f"known to be bad, {'kept' if self.keep_known_bad else 'left out'}: {_told(bad)}"]
        if not self.keep_known_bad:
            placed = [(part, case) for part, case in placed if case.id not in bad]
        parts = self._own(placed) if self.split == "own" else self._parted(placed)
        counts = ", ".join(f"{len(parts[part])} {part}" for part in parts)
        whose = "by patient, as `split` says" if self.split == "own" else self.published
        return _Arranged(parts, (f"split: {whose}: {counts}", *(told if bad else [])))

    def _cases(self, place: Place) -> Iterator[Case]:
        for case in place.cases(self.root, tuple(self.card.classes)):
            yield replace(case, patient=self.patient(case.id))

    def _own(self, placed: Sequence[tuple[Part, Case]]) -> Mapping[Part, Sequence[Case]]:
        return {"all": [case for part, case in placed if part in ("train", "all")]}

    def _parted(self, placed: Sequence[tuple[Part, Case]]) -> Mapping[Part, Sequence[Case]]:
        """The published parts.

        Raises:
            DataError: one of them has no case here.
        """
        listed = self.listed(case.id for _, case in placed)
        parts: dict[Part, list[Case]] = {}
        for part, case in placed:
            where: Part = "unlabelled" if case.label is None else listed.get(case.id, part)
            parts.setdefault(where, []).append(case)
        expected = {place.part for place in self.places} | self.held_out.keys() | {*listed.values()}
        if missing := sorted(part for part in expected if not parts.get(part)):
            raise DataError(
                f"{self.root}: no case here of the published {' and '.join(missing)} part "
                f'({self.published}). Complete the data, or say split = "own". {self.origin}'
            )
        order: tuple[Part, ...] = ("train", "validation", "test", "all", "unlabelled")
        return {part: parts[part] for part in order if part in parts}


def _told(bad: Mapping[str, str]) -> str:
    """Every case by its reason: nobody should have to guess which were left out."""
    groups: dict[str, list[str]] = {}
    for name in sorted(bad):
        groups.setdefault(bad[name], []).append(name)
    return "; ".join(f"{', '.join(names)} ({why})" for why, names in groups.items())
