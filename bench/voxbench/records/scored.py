"""Records for analyses: all facts of many cells, and their scores as columns when asked for."""

import json
import os
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

from pydantic import PrivateAttr, ValidationError

from voxbench.errors import RecordError, first_rule
from voxbench.records.record import SCHEMA, Facts, Record
from voxbench.records.scores import Scores

_CASES, _END = b'\n "cases": [', b"\n ]"
_END_BYTES = 1 << 17  # of either end of a file, in which its facts usually lie


class ScoredRecord(Facts):
    """A stored record; its scores are read from its file when they are first asked for."""

    _read: Callable[[], Scores] = PrivateAttr()

    @cached_property
    def scores(self) -> Scores:
        """Of its test cases.

        Raises:
            RecordError: the file can't be read, or has changed.
        """
        return self._read()


Scored = Record | ScoredRecord
"""What analyses take: a stored record, or one at hand."""


def scores_of(record: Scored) -> Scores:
    """The scores of a record's test cases as columns.

    Raises:
        RecordError: its file can't be read, or has changed.
    """
    return record.scores if isinstance(record, ScoredRecord) else Scores.of(record.cases)


def read_record(path: Path) -> Record:
    """The whole record of a file.

    Raises:
        RecordError: it is damaged or of another schema.
    """
    return _checked(path, path.read_bytes())


def read_scored(path: Path) -> ScoredRecord:
    """The facts of a file, with its scores to be read later.

    As voxbench writes it, the list of cases stands on lines of its own and is left aside; from
    another layout everything is read at once.

    Raises:
        RecordError: it is damaged or of another schema.
    """
    facts = _glance(path)
    try:
        record = ScoredRecord.model_validate_json(facts) if facts else None
    except ValidationError:
        record = None
    if record is None or record.schema_version != SCHEMA:
        whole = _checked(path, path.read_bytes())
        record = ScoredRecord(**{name: getattr(whole, name) for name in Facts.model_fields})
        record._read = partial(Scores.of, whole.cases)
    else:
        record._read = partial(_scores, path, hash(facts))
    return record


def _glance(path: Path) -> bytes:
    """The facts of `_cut` from both ends of a file; nothing where they reach further."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_END_BYTES)
        start = head.find(_CASES)
        file.seek(max(start, size - _END_BYTES, 0))
        tail = file.read()
    end = tail.rfind(_END)
    return b"" if start < 0 or end < 0 else _joined(head[:start], tail[end + len(_END) :])


class _Parts(NamedTuple):
    facts: bytes
    cases: bytes


def _cut(raw: bytes) -> _Parts:
    """A record's JSON without its list of cases, and that list; nothing where it is not found.

    It is the only list that ends on a line indented by one space; no text in JSON has a line
    break.
    """
    start = raw.find(_CASES)
    end = raw.rfind(_END)
    if start < 0 or end < start:
        return _Parts(raw, b"")
    facts = _joined(raw[:start], raw[end + len(_END) :])
    return _Parts(facts, raw[start + len(_CASES) - 1 : end + len(_END)])


def _joined(before: bytes, after: bytes) -> bytes:
    return before + after[1:] if after.startswith(b",") else before.removesuffix(b",") + after


def _scores(path: Path, facts: int) -> Scores:
    parts = _cut(path.read_bytes())
    if hash(parts.facts) != facts:
        raise RecordError(f"{path}: has changed while it was read; try again.")
    try:
        return Scores.parse(parts.cases)
    except ValidationError as error:
        raise _damaged(path, error) from None


def _checked(path: Path, raw: bytes) -> Record:
    try:
        record = Record.model_validate_json(raw)
    except ValidationError as error:
        raise _later(path, raw, error) or _damaged(path, error) from None
    if record.schema_version != SCHEMA:
        raise _other_version(path, f"has schema {record.schema_version}, this one reads {SCHEMA}")
    return record


def _later(path: Path, raw: bytes, error: ValidationError) -> RecordError | None:
    """What to say of a record that is sound, but of another version's layout; else None."""
    try:
        schema = json.loads(raw)["schema_version"]
    except (ValueError, TypeError, KeyError):
        return None
    if schema != SCHEMA:
        return _other_version(path, f"has schema {schema}, this one reads {SCHEMA}")
    kinds = {item["type"]: item["loc"] for item in error.errors(include_url=False)}
    if kinds.keys() == {"extra_forbidden"}:
        return _other_version(path, f"has a field {kinds['extra_forbidden'][-1]!r}, unknown here")
    return None


def _other_version(path: Path, told: str) -> RecordError:
    return RecordError(
        f"{path}: {told}; use the version of voxbench that wrote it, or a later one."
    )


def _damaged(path: Path, error: ValidationError) -> RecordError:
    return RecordError(
        f"{path}: not a record ({first_rule(error)}); move it away to run its cell again."
    )
