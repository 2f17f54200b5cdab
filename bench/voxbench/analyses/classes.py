"""The same records, one class at a time."""

from collections.abc import Iterable, Sequence

from voxbench.analyses.groups import Group
from voxbench.analyses.read import read_groups
from voxbench.records import Record


def class_names(records: Iterable[Record], task: str) -> list[str]:
    """The classes of a task, in the order of its cases."""
    found: dict[str, None] = {}
    for record in records:
        if record.arm.task == task:
            for case in record.cases:
                found.update(dict.fromkeys(case.classes))
    return list(found)


def class_groups(records: Sequence[Record], task: str, name: str) -> list[Group]:
    """The groups of a task as if it had this class only.

    Patients in which it is undefined stay, without a score.
    """
    return read_groups([_only(record, name) for record in records if record.arm.task == task])


def _only(record: Record, name: str) -> Record:
    cases = [
        case.model_copy(update={"classes": {k: v for k, v in case.classes.items() if k == name}})
        for case in record.cases
    ]
    return record.model_copy(update={"cases": cases})
