"""The same groups, one class at a time."""

from collections.abc import Iterator, Sequence

from voxbench.analyses.groups import Group


def class_groups(groups: Sequence[Group], task: str) -> Iterator[tuple[str, list[Group]]]:
    """Each class of a task with the groups as if it were the only one."""
    own = [group for group in groups if group.where.task == task]
    for name in dict.fromkeys(name for group in own for name in group.classes):
        yield name, [group.only(name) for group in own]
