"""The same records, one class at a time."""

from collections.abc import Iterator

from voxbench.analyses.groups import Group
from voxbench.analyses.read import Members, groups_of
from voxbench.records import Scored
from voxbench.records.scored import scores_of


def class_groups(members: Members[Scored], task: str) -> Iterator[tuple[str, list[Group]]]:
    """Each class of a task, in the order of its cases, with the groups as if it were the only one.

    Patients in which it is undefined stay, without a score.
    """
    own = {key: records for key, records in members.items() if key[0].task == task}
    records = sorted((r for found in own.values() for r in found), key=lambda record: record.key)
    names = dict.fromkeys(name for record in records for name in scores_of(record).names)
    for name in names:
        yield name, groups_of(own, name)
