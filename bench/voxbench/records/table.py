"""All records as one long table: a Parquet file that is derived and can be rebuilt at any time."""

import hashlib
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxbench.files import write_atomically
from voxbench.records.cost import Cost
from voxbench.records.record import Arm, ClassScores, Record
from voxbench.records.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "table.parquet"
_STAMP = b"voxbench.records"
_OWN = ("key", "status", "smoke", "sweep", "failure", "metrics_version")
_FURTHER = {
    "contamination": str, "data_fingerprint": str, "split_sha256": str, "train_patients": int,
    "weights_sha256": str, "pretraining_gpu_hours": float, "pretraining_cpu_hours": float,
    "case": str, "patient": str, "case_failure": str, "class": str,
}  # fmt: skip


def refresh_table(store: Store) -> Path:
    """Bring `table.parquet` beside the records up to date: one row a record × case × class.

    It is built again if records came, went or changed since. An undefined score is NaN, which is
    not null. A record without cases (it failed) has one row without case and class. A reader sees
    the old file or the new one, never a part.

    Raises:
        RecordError: a record can't be read.
    """
    path, stamp = store.root / FILE, _stamp(store)
    if not path.exists() or _stamped(path) != stamp:
        table = _table([row for record in store for row in _rows(record)])
        _write(table.replace_schema_metadata({_STAMP: stamp}), path)
    return path


def _stamped(path: Path) -> bytes | None:
    """The stamp of the records that a table was made of; None if it is damaged."""
    from pyarrow import ArrowInvalid, parquet

    try:
        found: bytes | None = (parquet.read_schema(path).metadata or {}).get(_STAMP)
    except ArrowInvalid:
        return None
    return found


def _stamp(store: Store) -> bytes:
    """A digest of the table's columns, and of the record files' names, sizes and times."""
    seen = hashlib.sha256(repr(_columns()).encode())
    for path in sorted(store.folder.glob("*.json")):
        status = path.stat()
        seen.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return seen.hexdigest().encode()


def _columns() -> dict[str, Any]:
    """Column → type of its values, as the parts of a record have them."""
    parts = (Arm, Cost, ClassScores)
    fields = {name: field for part in parts for name, field in part.model_fields.items()}
    fields |= {name: Record.model_fields[name] for name in _OWN}
    return {name: field.annotation for name, field in fields.items()} | _FURTHER


def _rows(record: Record) -> Iterator[dict[str, Any]]:
    shared = _shared(record)
    if not record.cases:
        scores = ClassScores.model_fields.items()
        yield shared | {name: math.nan for name, field in scores if field.annotation is float}
    for case in record.cases:
        named = {"case": case.case, "patient": case.patient, "case_failure": case.failure}
        for name, found in case.classes.items():
            yield {**shared, **named, "class": name, **found.model_dump()}


def _shared(record: Record) -> dict[str, Any]:
    """The columns that all rows of a record have in common."""
    data, weights = record.data, record.weights
    return {
        **record.model_dump(include=set(_OWN)),
        **record.arm.model_dump(),
        **(record.cost.model_dump() if record.cost else {}),
        "contamination": record.contamination.status if record.contamination else None,
        "data_fingerprint": data.fingerprint if data else None,
        "split_sha256": data.split_sha256 if data else None,
        "train_patients": data.train_patients if data else None,
        "weights_sha256": weights.sha256 if weights else None,
        "pretraining_gpu_hours": weights.gpu_hours if weights else 0.0,
        "pretraining_cpu_hours": weights.cpu_hours if weights else 0.0,
    }


def _table(rows: list[dict[str, Any]]) -> "pa.Table":
    import pyarrow as pa

    types = {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}  # all others are text
    columns = [(name, types.get(kind, pa.string())) for name, kind in _columns().items()]
    return pa.Table.from_pylist(rows, pa.schema(columns))


def _write(table: "pa.Table", path: Path) -> None:
    from pyarrow import parquet

    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    write_atomically(path, buffer.getvalue())
