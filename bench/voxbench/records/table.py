"""All records as one long table: a Parquet file that is derived and can be rebuilt at any time."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from voxbench.files import hex_digest, writing_atomically
from voxbench.records.case_scores import ClassScores
from voxbench.records.convergence import convergence
from voxbench.records.cost import Cost
from voxbench.records.record import Arm, Facts
from voxbench.records.scored import ScoredRecord
from voxbench.records.scores import NUMBERS, Scores
from voxbench.records.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "table.parquet"
_STAMP = b"voxbench.records"
_ROWS = 100_000  # that are written at once
_SAME = ("key", "status", "smoke", "sweep", "failure", "metrics_version")
_FURTHER = {
    "contamination": str, "converged": str, "data_fingerprint": str, "split_sha256": str,
    "train_patients": int, "weights_sha256": str, "pretraining_gpu_hours": float,
    "pretraining_cpu_hours": float, "tuning_gpu_hours": float, "tuning_cpu_hours": float,
    "case": str, "patient": str, "case_failure": str, "class": str,
}  # fmt: skip


def refresh_table(store: Store) -> Path:
    """Bring `table.parquet` beside the records up to date: one row a record × case × class.

    It is built again if records came, went or changed since, by their content. An undefined score
    is NaN, which is not null. A record without cases (it failed) has one row without case and
    class. A reader sees the old file or the new one, never a part.

    Raises:
        RecordError: a record can't be read.
    """
    return write_table(store, stamp_of(store), store.scored())


def write_table(store: Store, stamp: bytes, records: Iterable[ScoredRecord]) -> Path:
    """The same with records that are read for other ends too, after the stamp was taken.

    So a record that changes in between outdates the table.
    """
    path = store.root / FILE
    if not path.exists() or _stamped(path) != stamp:
        _write(records, path, stamp)
    return path


def stamp_of(store: Store) -> bytes:
    """A digest of the table's columns, and of the record files' names and content."""
    seen = hashlib.sha256(repr(_columns()).encode())
    for path in store.files():
        seen.update(f"{path.name} {hex_digest(path)}\n".encode())
    return seen.hexdigest().encode()


def _stamped(path: Path) -> bytes | None:
    """The stamp of the records that a table was made of; None if it is damaged."""
    from pyarrow import ArrowInvalid, parquet

    try:
        found: bytes | None = (parquet.read_schema(path).metadata or {}).get(_STAMP)
    except ArrowInvalid:
        return None
    return found


def _write(records: Iterable[ScoredRecord], path: Path, stamp: bytes) -> None:
    """Some rows at a time, so that neither the records nor the table have to fit into memory."""
    import pyarrow as pa
    from pyarrow import parquet

    schema = _schema()
    with (
        writing_atomically(path) as file,
        parquet.ParquetWriter(file, schema.with_metadata({_STAMP: stamp})) as writer,
    ):
        waiting: list[pa.Table] = []
        for record in records:
            waiting.append(_rows(record, schema))
            if sum(map(len, waiting)) >= _ROWS:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
        writer.write_table(pa.concat_tables([schema.empty_table(), *waiting]))


def _schema() -> "pa.Schema":
    import pyarrow as pa

    types = {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}  # all others are text
    return pa.schema([(name, types.get(kind, pa.string())) for name, kind in _columns().items()])


def _columns() -> dict[str, Any]:
    """Column → type of its values, as the parts of a record have them."""
    parts = (Arm, Cost, ClassScores)
    fields = {name: field for part in parts for name, field in part.model_fields.items()}
    fields |= {name: Facts.model_fields[name] for name in _SAME}
    return {name: field.annotation for name, field in fields.items()} | _FURTHER


def _rows(record: ScoredRecord, schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    own, shared = _own(record.scores), _shared(record)
    rows = len(own["flag"])
    columns = [
        own[field.name]
        if field.name in own
        else pa.repeat(pa.scalar(shared.get(field.name), field.type), rows)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _own(scores: Scores) -> Mapping[str, "pa.Array"]:
    """The columns in which rows of a record differ; one row of nothing where it has no cases."""
    import pyarrow as pa

    def each(told: Sequence[str | None], of: NDArray[np.int32]) -> pa.Array:
        return pa.array(told, pa.string()).take(pa.array(of))

    if not scores.cases:
        texts = ("case", "patient", "case_failure", "class", "flag")
        nothing = {name: pa.array([math.nan], pa.float64()) for name in NUMBERS}
        return {name: pa.nulls(1, pa.string()) for name in texts} | nothing
    return {
        "case": each(scores.cases, scores.case),
        "patient": each(scores.patients, scores.case),
        "case_failure": each(scores.failures, scores.case),
        "class": each(scores.names, scores.name),
        **dict(zip(NUMBERS, map(pa.array, scores.numbers.T), strict=True)),
        "flag": pa.array(scores.flags, pa.string()),
    }


def _shared(record: ScoredRecord) -> dict[str, Any]:
    """The columns that all rows of a record have in common."""
    data, weights = record.data, record.weights
    return {
        **record.model_dump(include=set(_SAME)),
        **record.arm.model_dump(),
        **(record.cost.model_dump() if record.cost else {}),
        "contamination": record.contamination.status if record.contamination else None,
        "converged": convergence([record]).word if record.status == "ok" else None,
        "data_fingerprint": data.fingerprint if data else None,
        "split_sha256": data.split_sha256 if data else None,
        "train_patients": data.train_patients if data else None,
        "weights_sha256": weights.sha256 if weights else None,
        "pretraining_gpu_hours": weights.gpu_hours if weights else 0.0,
        "pretraining_cpu_hours": weights.cpu_hours if weights else 0.0,
        "tuning_gpu_hours": record.tuning.gpu_hours if record.tuning else 0.0,
        "tuning_cpu_hours": record.tuning.cpu_hours if record.tuning else 0.0,
    }
