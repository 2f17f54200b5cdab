"""Records that are not of cells: one atomic JSON file each, in a folder of their kind."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Generic, Protocol, Self, TypeVar

from pydantic import ValidationError

from voxbench.errors import RecordError, first_rule
from voxbench.files import write_atomically


class _Keyed(Protocol):
    """What pydantic's models and these records have."""

    @property
    def key(self) -> str: ...
    @classmethod
    def model_validate_json(cls, json_data: bytes) -> Self: ...
    def model_dump_json(self, *, indent: int) -> str: ...


R = TypeVar("R", bound=_Keyed)


class RecordFolder(Generic[R]):
    """Those of one kind in an output folder, `ROOT/<name>/<key>.json`.

    Attributes:
        name: of the folder.
        kind: of the records.
        told: what one is called where it is damaged.
    """

    name: ClassVar[str]
    kind: ClassVar[type]
    told: ClassVar[str]

    def __init__(self, root: Path) -> None:
        self.folder = root / self.name

    def path(self, key: str) -> Path:
        """Where a record lies, or would."""
        return self.folder / f"{key}.json"

    def __contains__(self, key: str) -> bool:
        """Whether it is there."""
        return self.path(key).exists()

    def write(self, record: R) -> None:
        """Store a record, whole or not at all."""
        write_atomically(self.path(record.key), record.model_dump_json(indent=1))

    def read(self, key: str) -> R:
        """The record of a key.

        Raises:
            RecordError: the file is damaged or of another schema.
        """
        return self._read(self.path(key))

    def __iter__(self) -> Iterator[R]:
        """All of them, in the order of their keys.

        Raises:
            RecordError: a file is damaged or of another schema.
        """
        return self.matching("*")

    def matching(self, pattern: str) -> Iterator[R]:
        """Those whose keys match a glob, in the order of their keys.

        Raises:
            RecordError: a file is damaged or of another schema.
        """
        return map(self._read, sorted(self.folder.glob(f"{pattern}.json")))

    def _read(self, path: Path) -> R:
        try:
            found: R = self.kind.model_validate_json(path.read_bytes())  # type: ignore[attr-defined]
        except ValidationError as error:
            raise RecordError(
                f"{path}: not a {self.told} ({first_rule(error)}); move it away to make it again."
            ) from None
        return found
