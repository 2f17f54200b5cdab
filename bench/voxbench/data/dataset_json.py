"""`dataset.json`, as nnU-Net (versions 1 and 2) and the Decathlon write it, read key by key.

A key is judged when it is asked for, so that a reader needs only what it uses. Each mistake is one
line with file, key and what was expected there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from voxbench.errors import DataError, bare

_BACKGROUND, _IGNORE = "background", "ignore"


def read_json(path: Path, missing: str = "") -> dict[str, Any]:
    """Read the JSON object that a folder describes itself with.

    Args:
        path: of the file.
        missing: what to do if it is not there, as the end of the message.

    Raises:
        DataError: it is missing or no JSON object.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file. {missing}".rstrip())
    try:
        table = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({bare(error)}).") from None
    if not isinstance(table, dict):
        raise DataError(f"{path}: expected a JSON object, got {type(table).__name__}.")
    return table


def _special(name: str) -> str:
    """A name as written, but for background and the ignore label, whatever their capitals."""
    return name.lower() if name.lower() in (_BACKGROUND, _IGNORE) else name


@dataclass(frozen=True)
class DatasetJson:
    """The description of a data set.

    Attributes:
        path: of the file.
        table: its content.
    """

    path: Path
    table: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path, missing: str = "") -> "DatasetJson":
        """Read a file; `missing` says what to do if it is not there.

        Raises:
            DataError: it is missing or no JSON object.
        """
        return cls(path, read_json(path, missing))

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels: `channel_names`, or `modality` as version 1 calls it.

        Raises:
            DataError: they are not numbered from 0.
        """
        key = "channel_names" if self.table.get("channel_names") else "modality"
        names = self.table.get(key)
        numbered = isinstance(names, dict) and set(names) == {str(n) for n in range(len(names))}
        if not numbered or not names:
            self._wrong("channel_names", '{"0": "CT", "1": …}', self.table.get(key))
        return tuple(str(names[str(number)]) for number in range(len(names)))

    @cached_property
    def classes(self) -> dict[str, int | tuple[int, ...]]:
        """Class → its value, or the values of its region, in the order of the file.

        Background and the ignore label are left out.

        Raises:
            DataError: `labels` is no table of names and whole numbers.
        """
        return {
            name: value
            for name, value in self._labels.items()
            if value != 0 and name not in (_BACKGROUND, _IGNORE)
        }

    @cached_property
    def ignored(self) -> int | None:
        """The value of the voxels that nobody annotated; None if there are none.

        Raises:
            DataError: as `classes`.
        """
        value = self._labels.get(_IGNORE)
        return value if isinstance(value, int) else None

    @cached_property
    def training(self) -> tuple[tuple[Path, Path], ...]:
        """Image and label of every training case, as the Decathlon lists them.

        Raises:
            DataError: there is no such list.
        """
        listed = self.table.get("training")
        if not isinstance(listed, list) or not listed:
            self._wrong("training", "the list of training cases", listed)
        return tuple(self._pair(item) for item in listed)

    @cached_property
    def _labels(self) -> dict[str, int | tuple[int, ...]]:
        """Name → value or values, whichever way round they are written."""
        table = self.table.get("labels")
        if not isinstance(table, dict):
            self._wrong("labels", '{"background": 0, …}', table)
        if all(key.isdecimal() for key in table):  # version 1 and the Decathlon: value → name
            pairs = [(str(name), value) for value, name in table.items()]
        else:
            pairs = list(table.items())
        pairs = [(_special(name), value) for name, value in pairs]
        labels = {name: self._value_or_values(name, value) for name, value in pairs}
        if len(labels) < len(pairs):
            self._wrong("labels", "every name once", sorted(name for name, _ in pairs))
        if labels.get(_BACKGROUND, 0) != 0:
            self._wrong("labels", "0 for the background", labels[_BACKGROUND])
        return labels

    def _value_or_values(self, name: str, value: Any) -> int | tuple[int, ...]:
        if isinstance(value, list) and value and name != _IGNORE:
            return tuple(self._value(name, one) for one in value)
        return self._value(name, value)

    def _value(self, name: str, value: Any) -> int:
        number = int(value) if isinstance(value, str) and value.isdecimal() else value
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            self._wrong("labels", f"a whole number from 0 for {name!r}", value)
        return number

    def _pair(self, item: Any) -> tuple[Path, Path]:
        if not isinstance(item, dict) or not all(
            isinstance(item.get(key), str) for key in ("image", "label")
        ):
            self._wrong("training", "image and label", item)
        return self.path.parent / item["image"], self.path.parent / item["label"]

    def _wrong(self, key: str, expected: str, found: Any) -> NoReturn:
        told = "nothing" if found is None else repr(found)
        raise DataError(f"{self.path}: {key}: expected {expected}, got {told}.")
