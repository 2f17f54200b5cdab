"""All records as one long table: a Parquet file that is derived and can be rebuilt at any time."""

import hashlib
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxbench.files import write_atomically
from voxbench.records.record import Record
from voxbench.records.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "table.parquet"
_STAMP = b"voxbench.records"
_SCORES = ("dice", "nsd", "hd95_mm", "volume_mm3_prediction", "volume_mm3_reference")
_COST = (
    "seconds", "fit_seconds", "predict_seconds", "steps", "peak_memory_mb", "parameters",
    "gpu_hours", "cpu_hours",
)  # fmt: skip
_TYPES = {
    "string": (
        "key", "status", "sweep", "task", "baseline", "twin", "strategy", "network", "fraction",
        "adaptation", "contamination", "data_fingerprint", "split_sha256", "weights_sha256",
        "metrics_version", "failure", "case", "patient", "case_failure", "class", "flag",
    ),
    "bool_": ("smoke",),
    "int64": ("draw", "seed", "train_patients", "steps", "parameters"),
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
    seen = hashlib.sha256(repr([*_TYPES.items(), _SCORES, _COST]).encode())
    for path in sorted(store.folder.glob("*.json")):
        status = path.stat()
        seen.update(f"{path.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return seen.hexdigest().encode()


def _rows(record: Record) -> Iterator[dict[str, Any]]:
    shared = _shared(record)
    if not record.cases:
        yield {**shared, **dict.fromkeys(_SCORES, math.nan)}
    for case in record.cases:
        named = {"case": case.case, "patient": case.patient, "case_failure": case.failure}
        for name, scores in case.classes.items():
            yield {**shared, **named, "class": name, **scores.model_dump()}


def _shared(record: Record) -> dict[str, Any]:
    """The columns that all rows of a record have in common."""
    data, weights = record.data, record.weights
    cost = record.cost.model_dump() if record.cost else {}
    return {
        **{name: getattr(record, name) for name in ("key", "status", "smoke", "sweep")},
        **record.arm.model_dump(),
        "contamination": record.contamination.status if record.contamination else None,
        "metrics_version": record.metrics_version,
        "failure": record.failure,
        "data_fingerprint": data.fingerprint if data else None,
        "split_sha256": data.split_sha256 if data else None,
        "train_patients": data.train_patients if data else None,
        "weights_sha256": weights.sha256 if weights else None,
        "pretraining_gpu_hours": weights.gpu_hours if weights else 0.0,
        "pretraining_cpu_hours": weights.cpu_hours if weights else 0.0,
        **{name: cost.get(name) for name in _COST},
    }


def _table(rows: list[dict[str, Any]]) -> "pa.Table":
    import pyarrow as pa

    types = {name: getattr(pa, kind)() for kind, names in _TYPES.items() for name in names}
    hours = ("pretraining_gpu_hours", "pretraining_cpu_hours")
    floats = [*_SCORES, *(name for name in _COST if name not in types), *hours]
    types |= dict.fromkeys(floats, pa.float64())
    columns = {
        name: pa.array([row.get(name) for row in rows], kind) for name, kind in types.items()
    }
    return pa.table(columns)


def _write(table: "pa.Table", path: Path) -> None:
    from pyarrow import parquet

    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    write_atomically(path, buffer.getvalue())
