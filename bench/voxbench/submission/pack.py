"""From a folder of records to one file that can be sent."""

import hashlib
import io
import json
import re
import time
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from voxbench.errors import BundleError, RecordError
from voxbench.files import write_atomically
from voxbench.records import Record, Store
from voxbench.records.places import holds_place
from voxbench.records.predictions import missing_predictions, prediction_path
from voxbench.records.scored import read_record
from voxbench.submission.archive import MOST_MEMBERS
from voxbench.submission.bundle import parse_record, why_not_submitted
from voxbench.submission.labelmap import read_map
from voxbench.submission.manifest import (
    MANIFEST,
    Manifest,
    Member,
    Submitter,
    prediction_name,
    record_name,
)

MOST_PACKED = 4 * 10**9  # what the directory of a zip archive can address
_LEVEL = 9
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of every member: the same records give the same bytes


class Packed(NamedTuple):
    """What went into a bundle.

    Attributes:
        records: in the order of their keys.
        label_maps: how many.
        left_out: key → why a record was not packed.
        sha256: of the file.
    """

    records: list[Record]
    label_maps: int
    left_out: dict[str, str]
    sha256: str


def pack(
    root: Path,
    out: Path,
    name: str | None = None,
    contact: str | None = None,
    source: str | None = None,
    *,
    with_predictions: bool = False,
) -> Packed:
    """Write the records of a folder, and the label maps beside them if asked for, as a bundle.

    Smoke runs and imported scores are left out and named. The same folder gives the same bytes.

    Args:
        root: folder of a sweep.
        out: file to write.
        name: of the submission; the sweep's by default.
        contact: whom to ask.
        source: a paper or repository.
        with_predictions: pack the label maps too.

    Raises:
        BundleError: nothing is left to submit, or a label map is missing or none.
        RecordError: a record can't be read.
    """
    found = list(Store(root))
    left_out = {
        record.key: f"{why} ({record.imported.source})" if record.imported else why
        for record in found
        if (why := why_not_submitted(record))
    }
    records = [record for record in found if record.key not in left_out]
    _check_some(root, records, left_out)
    submitter = _submitter(name or _sweep(root, records), contact, source)
    store = Store(root)
    members = {record_name(r.key): _record(store.path(r.key), r.key) for r in records}
    maps = _maps(root, records) if with_predictions else {}
    _check_size(out, {**members, **maps})
    newest = max(store.path(record.key).stat().st_mtime for record in records)
    newest = min(newest, time.time())  # clocks may be wrong
    content = _archive({**members, **maps}, submitter, newest)
    write_atomically(out, content)
    return Packed(records, len(maps), left_out, hashlib.sha256(content).hexdigest())


def _check_some(root: Path, records: list[Record], left_out: Mapping[str, str]) -> None:
    if any(record.status == "ok" for record in records):
        return
    if records:
        raise BundleError(
            f"{root}: all {len(records)} cells failed; voxbench status {root} says why."
        )
    told = "; ".join(f"{n} × {why}" for why, n in Counter(left_out.values()).items())
    raise BundleError(f"{root}: nothing to submit ({told or 'no records there'}).")


def _check_size(out: Path, members: Mapping[str, bytes]) -> None:
    """Nothing is packed that no one would read."""
    size = sum(map(len, members.values()))
    if len(members) >= MOST_MEMBERS or size >= MOST_PACKED:
        raise BundleError(
            f"{out}: {len(members):,} files of {size:,} bytes, at most {MOST_MEMBERS:,} of "
            f"{MOST_PACKED:,} fit a bundle; pack without --predictions, or sweep by sweep."
        )


def _sweep(root: Path, records: Iterable[Record]) -> str:
    """The name of the records' sweep, as a submission can be called."""
    names = sorted({record.sweep for record in records})
    if len(names) > 1:
        raise BundleError(f"{root}: records of several sweeps ({', '.join(names)}); give --name.")
    return re.sub(r"[^a-z0-9._-]+", "-", names[0].lower()).strip("-._")[:64]


def _submitter(name: str, contact: str | None, source: str | None) -> Submitter:
    try:
        return Submitter(name=name, contact=contact, source=source)
    except ValidationError as error:
        first = error.errors()[0]
        raise BundleError(
            f"--{first['loc'][0]} {first['input']!r}: {first['msg']}; a name has lower-case "
            "letters, digits, '.', '_' and '-', an address begins with https://."
        ) from None


def _record(path: Path, key: str) -> bytes:
    raw = path.read_bytes()
    if holds_place(json.loads(raw)):  # an older version told places of the machine
        raw = read_record(path).model_dump_json(indent=1).encode()
    try:
        parse_record(raw, key)
    except ValueError as error:
        raise RecordError(f"{path}: can't be submitted ({error}); run its cell again.") from None
    return raw


def _maps(root: Path, records: Iterable[Record]) -> dict[str, bytes]:
    found = {}
    for record in records:
        if record.status == "failed":
            continue
        if missing := missing_predictions(root, record):
            raise BundleError(
                f"{prediction_path(root, record.key, missing[0])}: no such label map "
                f"({len(missing)} of {record.key}); run the sweep with --predictions."
            )
        for case in record.cases:
            if case.failure is None:
                path = prediction_path(root, record.key, case.case)
                found[prediction_name(record.key, case.case)] = _map(path)
    return found


def _map(path: Path) -> bytes:
    raw = path.read_bytes()
    try:
        read_map(raw)
    except ValueError as error:
        raise BundleError(f"{path}: no label map of voxbench ({error}).") from None
    return raw


def _archive(members: Mapping[str, bytes], submitter: Submitter, newest: float) -> bytes:
    manifest = Manifest(
        voxbench=metadata.version("voxbench"),
        submitter=submitter,
        created=datetime.fromtimestamp(newest, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        members={
            name: Member(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
            for name, content in sorted(members.items())
        },
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _write(archive, MANIFEST, manifest.model_dump_json(indent=1).encode())
        for name, content in sorted(members.items()):
            _write(archive, name, content)
    return buffer.getvalue()


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3  # the same on every system
    info.external_attr = 0o100644 << 16
    compressed = name.endswith(".gz")
    info.compress_type = zipfile.ZIP_STORED if compressed else zipfile.ZIP_DEFLATED
    archive.writestr(info, content, compresslevel=_LEVEL)
