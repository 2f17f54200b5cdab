"""A public data set, read as its makers released it and split as they published."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, NamedTuple

from voxbench.api import Case, KnownError, Part, PublicTask, added
from voxbench.errors import DataError, SpecError

from voxbench_tasks.known_errors import register
from voxbench_tasks.place import Place


def numbered(*names: str) -> dict[str, int | tuple[int, ...]]:
    """Classes with the values 1, 2, … in the order of a release's label map."""
    return {name: value for value, name in enumerate(names, start=1)}


class _Arranged(NamedTuple):
    parts: Mapping[Part, Sequence[Case]]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Release(PublicTask):
    """A public data set in its own layout.

    Attributes:
        split: "own" parts the cases of the training folders by patient, whatever was published.
        keep_known_bad: use the cases, too, whose errors are known.
        leave_out: further cases that are not used, as `voxbench data check` names them.
    """

    split: str | None = added(None)
    keep_known_bad: bool = added(False)
    leave_out: tuple[str, ...] = added(())

    places: ClassVar[tuple[Place, ...]]
    """Where the files lie, by part."""
    published: ClassVar[str]
    """The published split and whose it is, in words."""
    held_out: ClassVar[Mapping[Part, tuple[str, ...]]] = {}
    """Ids among the training files that a published list validates or tests on."""

    def cases(self) -> Mapping[Part, Sequence[Case]]:
        """The cases of each published part, without those that are left out."""
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

    @property
    def known_errors(self) -> Sequence[KnownError]:
        """Those of the corpus in the register, as far as they touch a class of the task."""
        found = [error for corpus in self.card.corpora for error in register().get(corpus, ())]
        return [e for e in found if not e.classes or {*e.classes} & self.card.classes.keys()]

    def released(self) -> Mapping[Part, Sequence[Case]]:
        """The cases of each published part, whatever is wrong with them."""
        return replace(self, keep_known_bad=True, leave_out=()).cases()

    @cached_property
    def _arranged(self) -> _Arranged:
        if self.split not in (None, "own"):
            raise SpecError(f'{self.root}: split: expected "own" or nothing, got {self.split!r}.')
        placed = [(place.part, case) for place in self.places for case in self._cases(place)]
        if not placed:
            missing = " or ".join(dict.fromkeys(place.images[0] for place in self.places))
            raise DataError(f"{self.root}: no {missing} in it. {self.source.where}")
        gone, notes = self._left_out([case for _, case in placed])
        placed = [(part, case) for part, case in placed if case.id not in gone]
        parts = self._own(placed) if self.split == "own" else self._parted(placed)
        counts = ", ".join(f"{len(parts[part])} {part}" for part in parts)
        whose = "by patient, as `split` says" if self.split == "own" else self.published
        return _Arranged(parts, (f"split: {whose}: {counts}", *notes))

    def _left_out(self, cases: Sequence[Case]) -> tuple[set[str], list[str]]:
        """The cases that are not used, and what the record tells of them.

        Raises:
            SpecError: `leave_out` names one that is not here.
        """
        if strange := sorted({*self.leave_out} - {case.id for case in cases}):
            raise SpecError(f"{self.root}: leave_out: no case {', '.join(strange)} here.")
        bad: dict[str, str] = {}
        for error in self.known_errors:
            for case in cases:
                if error.left_out and error.names(case):
                    bad.setdefault(case.id, f"{error.error}: {error.source}")
        notes = []
        if bad:
            fate = "kept" if self.keep_known_bad else "left out"
            notes.append(f"known to be bad, {fate}: {_told(bad)}")
        if self.leave_out:
            notes.append(f"left out as `leave_out` says: {', '.join(sorted(self.leave_out))}")
        return {*self.leave_out, *(() if self.keep_known_bad else bad)}, notes

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
                f'({self.published}). Complete the data, or say split = "own". {self.source.where}'
            )
        order: tuple[Part, ...] = ("train", "validation", "test", "all", "unlabelled")
        return {part: parts[part] for part in order if part in parts}


def _told(bad: Mapping[str, str]) -> str:
    """Every case by its reason: nobody should have to guess which were left out."""
    groups: dict[str, list[str]] = {}
    for name in sorted(bad):
        groups.setdefault(bad[name], []).append(name)
    return "; ".join(f"{', '.join(names)} ({why})" for why, names in groups.items())
