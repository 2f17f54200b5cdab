"""Merge a verified bundle into the results: all of its records or none."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from voxbench.errors import BundleError
from voxbench.files import write_atomically
from voxbench.records import Store
from voxbench.submission.bundle import Bundle
from voxbench.submission.evidence import contradicts, replaces
from voxbench.submission.verify import Verification

FOLDER = "submissions"


class Merged(NamedTuple):
    """What a bundle brought.

    Attributes:
        new: keys of records that were added, or took the place of a failed one.
        known: keys that were there already, with the same content.
        page: the provenance, `submissions/NAME.json`.
    """

    new: list[str]
    known: list[str]
    page: Path


def merge(verification: Verification, results: Path) -> Merged:
    """Write the records of a verified bundle, and where they came from.

    Records are written as they came, byte for byte; the provenance, last, marks that all are
    there. If a write fails, the results are left as they were. After a crash, adding the same
    bundle again completes it.

    Raises:
        BundleError: the bundle has errors, another record of a key is there, or another
            submission has this name.
    """
    if not verification.verified:
        raise BundleError(f"not added, the bundle has errors: {verification.errors[0]}.")
    page = results / FOLDER / f"{verification.bundle.manifest.submitter.name}.json"
    _check_name(page, verification.bundle)
    store = Store(results)
    new = []
    for key, record in sorted(verification.bundle.records.items()):
        known = store.read(key)
        if known is None or replaces(record, known):
            new.append(key)
        elif contradicts(record, known):
            raise BundleError(f"{store.path(key)}: another record of this key is there; not added.")
    contents = {store.path(key): verification.bundle.raw[key] for key in new}
    if not page.is_file():
        contents[page] = _provenance(verification)
    _write_all(contents)
    return Merged(new, sorted(verification.bundle.records.keys() - set(new)), page)


def _check_name(page: Path, bundle: Bundle) -> None:
    if not page.is_file():
        return
    try:
        sha256 = json.loads(page.read_bytes())["bundle_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{page}: not a submission ({error!r}).") from None
    if sha256 != bundle.sha256:
        raise BundleError(
            f"{page}: another bundle was added under this name; pack it under another --name."
        )


def _provenance(verification: Verification) -> bytes:
    manifest = verification.bundle.manifest
    told = {
        **manifest.submitter.model_dump(),
        "bundle_sha256": verification.bundle.sha256,
        "created": manifest.created,
        "voxbench": manifest.voxbench,
        "label_maps": verification.bundle.label_maps,
        "records": sorted(verification.bundle.records),
        "warnings": verification.warnings,
        "unchecked": verification.unchecked,
    }
    return json.dumps(told, indent=1).encode() + b"\n"


def _write_all(contents: Mapping[Path, bytes]) -> None:
    """Write files in their order; all or none."""
    before: dict[Path, bytes | None] = {}
    try:
        for path, content in contents.items():
            old = path.read_bytes() if path.is_file() else None
            write_atomically(path, content)
            before[path] = old
    except BaseException:
        for path, old in before.items():
            path.unlink() if old is None else write_atomically(path, old)
        raise
