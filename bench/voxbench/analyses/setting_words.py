"""What tells the settings of a task apart, in words instead of a digest."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from voxbench.analyses.groups import Where
from voxbench.records import Record

_MOST = 3


def setting_words(
    members: Mapping[tuple[Where, str], Sequence[Record]],
) -> dict[tuple[str, str], str]:
    """(task, setting) → the fields in which it differs from the task's other settings.

    Empty for the only setting of a task.
    """
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for (where, _), own in members.items():
        if where.setting not in found[where.task] or own[0].data:
            found[where.task][where.setting] = _fields(own[0])
    return {
        (task, setting): _words(setting, fields, list(settings.values()))
        for task, settings in found.items()
        for setting, fields in settings.items()
    }


def _fields(record: Record) -> dict[str, Any]:
    recipe = record.cell.get("recipe")
    fields = dict(recipe) if isinstance(recipe, Mapping) else {}
    fields |= {"limit": record.cell.get("limit"), "smoke": record.smoke}
    if record.data:
        fields |= {"data": record.data.fingerprint[:6], "split": record.data.split_sha256[:6]}
    return fields | {"metrics": record.metrics_version}


def _words(setting: str, fields: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    if len(others) == 1:
        return ""
    differing = [
        name for name in fields if any(other.get(name) != fields[name] for other in others)
    ]
    parts = [f"{name} {fields[name]}" for name in differing[:_MOST]]
    return ", ".join([*parts, *["…"] * (len(differing) > _MOST)]) or setting
