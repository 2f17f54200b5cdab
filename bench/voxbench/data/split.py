"""Train, validation and test: by patient, frozen in a file."""

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from voxbench.api import Case, Task
from voxbench.design.cell import digest
from voxbench.design.fold import Fold
from voxbench.errors import DataError
from voxbench.files import write_atomically

SPLIT_PARTS = ("train", "validation", "test")
_SHARES = {"validation": 0.1, "test": 0.2}
_FEWEST = 3  # patients that make three parts


class Split(NamedTuple):
    """The parts of a task, each sorted by case id.

    Either all cases of the parts are labelled, or none is.

    Attributes:
        sha256: over the case ids and patients of each part.
        unlabelled: further images, of patients who are in no validation or test part.
        drawn: what is tested on was drawn here, and nobody published it.
        lists: name of a fraction → ids of the training cases that were published for it.
    """

    train: tuple[Case, ...]
    validation: tuple[Case, ...]
    test: tuple[Case, ...]
    sha256: str
    unlabelled: tuple[Case, ...] = ()
    drawn: bool = False
    lists: Mapping[str, Sequence[str]] = {}

    @property
    def labelled(self) -> bool:
        """Whether there is anything to learn from labels, or to score by them."""
        return any(case.label is not None for case in self.train)


def split_name(task: str, fold: Fold | None) -> str:
    """What the file of a task's split is called, or of a fold of it."""
    return f"{task}.fold-{fold.number}-of-{fold.of}" if fold else task


class FrozenSplit(NamedTuple):
    """What the file of a split says.

    Attributes:
        sha256: over the case ids and patients of each part.
        ids: part → ids of its cases.
    """

    sha256: str
    ids: Mapping[str, Sequence[str]]


def split_cases(task: Task) -> Split:
    """Split a task's cases.

    A file `splits/<card.name>.json` beside the task's module is used as it is. Else published
    splits are; where they lack validation cases, an eighth of the training patients becomes
    validation. Else patients are ordered by a hash of their names: 20% test, 10% validation,
    the rest training, so that a new patient moves at most a few others; freeze a split to keep it.
    Training cases without a label beside others that have one are left aside; where no case has
    one, they are split as if they had, and fewer than three patients all train.

    Raises:
        DataError: the file names other cases than the task has, a patient lies in two parts, or
            there are fewer than three patients.
    """
    given = {str(part): tuple(cases) for part, cases in task.cases().items() if cases}
    _check_ids(task, sorted((c for part in given.values() for c in part), key=lambda c: c.id))
    further = given.pop("unlabelled", ())
    with_label = {part: tuple(c for c in given[part] if c.label is not None) for part in given}
    labelled = {part: cases for part, cases in with_label.items() if cases}
    if further and not given:
        return Split((), (), (), digest({}), further)
    split = _split(task, labelled or given)._replace(lists=task.lists())
    return split._replace(unlabelled=_left_aside(given, further, split) if labelled else further)


def _split(task: Task, given: Mapping[str, tuple[Case, ...]]) -> Split:
    """The parts of cases that all have a label, or none."""
    cases = sorted((case for part in given.values() for case in part), key=lambda c: c.id)
    file = Path(inspect.getfile(type(task))).parent / "splits" / f"{task.card.name}.json"
    if file.is_file():
        return read_split(file, cases)
    if set(given) == {"all"}:
        if cases[0].label is None and len({case.patient for case in cases}) < _FEWEST:
            return Split(tuple(cases), (), (), digest([case.id for case in cases]))
        return make_split(_by_patient(task, cases), f"task {task.card.name!r}")._replace(drawn=True)
    if set(given) == set(SPLIT_PARTS):
        parts = given
    elif set(given) == {"train", "test"}:
        rest, validation = validating(given["train"])
        parts = {"train": rest, "validation": validation, "test": given["test"]}
    else:
        raise DataError(
            f"task {task.card.name!r}: cases() gives {sorted(given) or 'no cases'}; it must "
            "give all, or train and test, or train, validation and test."
        )
    return make_split(parts, f"task {task.card.name!r}")


def _left_aside(
    given: Mapping[str, tuple[Case, ...]], further: tuple[Case, ...], split: Split
) -> tuple[Case, ...]:
    """Images without a label that show nobody who is validated or tested on."""
    parts = [given.get("validation", ()), given.get("test", ()), split.validation, split.test]
    held_out = {case.patient for part in parts for case in part}
    rest = [case for part in given.values() for case in part if case.label is None]
    found = [case for case in (*rest, *further) if case.patient not in held_out]
    return tuple(sorted(found, key=lambda case: case.id))


def freeze_split(split: Split, path: Path) -> None:
    """Write a split, or check that the file already says the same.

    Raises:
        DataError: the file holds another split.
    """
    if path.is_file():
        cases = [case for part in SPLIT_PARTS for case in getattr(split, part)]
        if read_split(path, cases).sha256 != split.sha256:
            raise DataError(f"{path}: the data now give another split; use a new output folder.")
        return
    table: dict[str, Any] = {part: [c.id for c in getattr(split, part)] for part in SPLIT_PARTS}
    write_atomically(path, json.dumps({"sha256": split.sha256, **table}, indent=1) + "\n")


def read_frozen(path: Path) -> FrozenSplit:
    """Read the file of a frozen split, without its cases.

    Raises:
        DataError: the file is damaged.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        ids = {part: [str(name) for name in table[part]] for part in SPLIT_PARTS}
        return FrozenSplit(str(table["sha256"]), ids)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not a split ({error!r}); write one with freeze_split()."
        ) from None


def read_split(path: Path, cases: Sequence[Case]) -> Split:
    """Read a frozen split of these cases.

    Raises:
        DataError: the file is damaged, names other cases, or its hash does not match.
    """
    expected, ids = read_frozen(path)
    known = {case.id: case for case in cases}
    named = {name for part in ids.values() for name in part}
    if named != set(known):
        raise DataError(
            f"{path}: the split and the data differ: missing in the data "
            f"{_some(named - set(known))}; not in the split {_some(set(known) - named)}. "
            "Complete the data, or give the task another name."
        )
    split = make_split(
        {part: tuple(known[name] for name in ids[part]) for part in SPLIT_PARTS}, str(path)
    )
    if split.sha256 != expected:
        raise DataError(f"{path}: its sha256 does not match; patients or the file were changed.")
    return split


def name_hash(name: str) -> str:
    """What patients are ordered by: a hash of the name, independent of all the others."""
    return hashlib.sha256(name.encode()).hexdigest()


def _by_patient(task: Task, cases: Sequence[Case]) -> Mapping[str, tuple[Case, ...]]:
    if len({case.patient for case in cases}) < _FEWEST:
        raise DataError(f"task {task.card.name!r}: a split needs at least three patients.")
    rest, test = _draw(cases, _SHARES["test"])
    train, validation = _draw(rest, _SHARES["validation"] / (1 - _SHARES["test"]))
    return {"train": train, "validation": validation, "test": test}


def validating(cases: Sequence[Case]) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """The others, and the cases of an eighth of the patients, at least one, who validate."""
    return _draw(cases, 1 / 8)


def _draw(cases: Sequence[Case], share: float) -> tuple[tuple[Case, ...], tuple[Case, ...]]:
    """The others, and the cases of a share of the patients, at least one."""
    patients = sorted({case.patient for case in cases}, key=name_hash)
    drawn = set(patients[: max(1, round(share * len(patients)))])
    others = tuple(case for case in cases if case.patient not in drawn)
    return others, tuple(case for case in cases if case.patient in drawn)


def make_split(parts: Mapping[str, Sequence[Case]], origin: str) -> Split:
    """A split of these parts.

    Raises:
        DataError: a part is empty, or a patient lies in two.
    """
    seen: dict[str, str] = {}
    for part in SPLIT_PARTS:
        if not parts[part]:
            raise DataError(f"{origin}: the {part} part is empty.")
        for case in parts[part]:
            other = seen.setdefault(case.patient, part)
            if other != part:
                raise DataError(
                    f"{origin}: patient {case.patient!r} lies in {other} and in {part}; all cases "
                    "of a patient belong to one part."
                )
    ordered = {part: tuple(sorted(parts[part], key=lambda case: case.id)) for part in SPLIT_PARTS}
    named = {part: [[case.id, case.patient] for case in ordered[part]] for part in SPLIT_PARTS}
    return Split(ordered["train"], ordered["validation"], ordered["test"], digest(named))


def _check_ids(task: Task, cases: Sequence[Case]) -> None:
    for first, second in pairwise(cases):
        if first.id == second.id:
            raise DataError(f"task {task.card.name!r}: two cases are called {first.id!r}.")


def _some(names: set[str]) -> str:
    listed = sorted(names)
    return (", ".join(listed[:5]) + (f", … ({len(listed)})" if listed[5:] else "")) or "none"
