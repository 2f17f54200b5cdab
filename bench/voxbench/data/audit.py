"""A local copy of a public data set against what its release holds and what is known of it."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from voxbench.api import Case, KnownError, Part, PublicTask
from voxbench.data.volumes import CaseReader, Problem
from voxbench.files import has_checksum

FILES = "its files"


class Finding(NamedTuple):
    """Something wrong with a case.

    Attributes:
        case: its id.
        error: what is wrong.
        source: who says so; `FILES` where only they do.
        seen: whether its files show it; None where only people see it.
        used: whether the task uses the case.
        unfit: whether it should be left out.
    """

    case: str
    error: str
    source: str
    seen: bool | None
    used: bool
    unfit: bool


class Audit(NamedTuple):
    """What was found of a copy.

    Attributes:
        counts: part → the cases here, and how many there should be (None: nobody says).
        archives: name → whether an archive that lies beside the data has its published checksum.
        findings: what is wrong with which case, sorted by case.
    """

    counts: Mapping[Part, tuple[int, int | None]]
    archives: Mapping[str, bool]
    findings: Sequence[Finding]

    @property
    def leave_out(self) -> list[str]:
        """The cases that are used and should not be."""
        return sorted({one.case for one in self.findings if one.used and one.unfit})

    @property
    def sound(self) -> bool:
        """Whether nothing is left to do."""
        whole = all(expected in (None, here) for here, expected in self.counts.values())
        return whole and all(self.archives.values()) and not self.leave_out


def audit(task: PublicTask, jobs: int = 1, done: Callable[[], None] = lambda: None) -> Audit:
    """Read every case of a copy, those that are left out too.

    Args:
        task: whose folder it is.
        jobs: cases at a time, each in memory as a whole.
        done: told after every case.

    Raises:
        DataError: the folder lacks a part of the release.
    """
    released = task.released()
    used = {case.id for cases in task.cases().values() for case in cases}
    cases = sorted((c for part in released.values() for c in part), key=lambda case: case.id)

    def look(case: Case) -> list[Finding]:
        reader = CaseReader(case, task.card)
        reader.read()
        done()
        return _findings(case, task.known_errors, reader.problems, case.id in used)

    with ThreadPoolExecutor(jobs) as pool:
        findings = [one for found in pool.map(look, cases) for one in found]
    return Audit(_counts(task, released), _archives(task), findings)


def _findings(
    case: Case, known: Sequence[KnownError], problems: Sequence[Problem], used: bool
) -> list[Finding]:
    """What is known of a case, and what else makes it unusable."""
    found, told = [], set[str]()
    lines = [f"{problem.kind}: {problem.file}: {problem.detail}" for problem in problems]
    for error in known:
        signs = [line for line in lines if error.sign is not None and error.sign in line]
        seen = None if error.sign is None else bool(signs)
        if error.names(case):
            found.append(Finding(case.id, error.error, error.source, seen, used, error.left_out))
        elif seen:
            found.append(Finding(case.id, signs[0], FILES, seen, used, error.left_out))
        told.update(signs)
    for problem, line in zip(problems, lines, strict=True):
        if problem.fatal and line not in told:
            found.append(Finding(case.id, line, FILES, True, used, True))
    return found


def _counts(
    task: PublicTask, released: Mapping[Part, Sequence[Case]]
) -> Mapping[Part, tuple[int, int | None]]:
    """By the parts of the copy; all in one where it is split otherwise than the release."""
    expected = task.source.counts
    here = {part: len(cases) for part, cases in released.items()}
    if expected.keys() <= here.keys():
        return {part: (count, expected.get(part)) for part, count in here.items()}
    return {part: (count, None) for part, count in here.items()}


def _archives(task: PublicTask) -> Mapping[str, bool]:
    """Those with a published checksum that lie in the folder of the data, or beside it."""
    return {
        archive.name: has_checksum(place / archive.name, archive.checksum)
        for archive in task.source.archives
        for place in (task.root, task.root.parent)
        if archive.checksum and (place / archive.name).is_file()
    }
