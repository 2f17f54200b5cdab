"""A bundle that was opened: its manifest, its records, and its label maps when asked for."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from voxbench.errors import BundleError, first_rule
from voxbench.records import SCHEMA, Record
from voxbench.records.places import texts, without_places
from voxbench.records.predictions import prediction_path
from voxbench.submission.archive import Archive, open_archive
from voxbench.submission.diagnostics import Diagnostic, error, printable
from voxbench.submission.labelmap import SubmittedMap, read_map
from voxbench.submission.manifest import (
    MANIFEST,
    Manifest,
    is_plain,
    key_of,
    kind_of,
    prediction_name,
)
from voxbench.submission.strict_json import parse_json

_LONGEST_TEXT = 20_000


class Bundle:
    """What a bundle says, as far as it can be read.

    Attributes:
        sha256: of the archive.
        manifest: who submits what.
        raw: key → the record's own bytes.
        records: key → record, of those that are records.
        diagnostics: what was wrong with the others.
    """

    def __init__(self, archive: Archive, manifest: Manifest) -> None:
        self._archive = archive
        self.sha256 = archive.sha256
        self.manifest = manifest
        self.raw: dict[str, bytes] = {}
        self.records: dict[str, Record] = {}
        self.diagnostics: list[Diagnostic] = []
        for name in manifest.members:
            if kind_of(name) == "record":
                self._add(name)
        self._owned()

    @property
    def label_maps(self) -> int:
        """How many there are."""
        return sum(map(len, self.maps.values()))

    @property
    def maps(self) -> Mapping[str, list[str]]:
        """Key → the members that are its label maps."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self._archive.members:
            if kind_of(name) == "prediction":
                found[key_of(name)].append(name)
        return found

    def has_map(self, key: str, case: str) -> bool:
        """Whether there is a label map of a record's case."""
        return prediction_name(key, case) in self._archive.members

    def read_map(self, key: str, case: str) -> SubmittedMap:
        """The label map of a record's case.

        Raises:
            ValueError: it is none, or not the one that the manifest lists.
        """
        return read_map(self._content(prediction_name(key, case)))

    def _content(self, name: str) -> bytes:
        content, listed = self._archive.read(name), self.manifest.members[name]
        if hashlib.sha256(content).hexdigest() != listed.sha256:
            raise ValueError("its sha256 is not the one in the manifest")
        return content

    def _add(self, name: str) -> None:
        key = key_of(name)
        try:
            raw = self._content(name)
            self.records[key] = parse_record(raw, key)
            self.raw[key] = raw
        except ValueError as problem:
            self.diagnostics.append(error("not a record of voxbench", f"{name}: {problem}"))

    def _owned(self) -> None:
        """Every label map belongs to a case of a record."""
        for key, names in self.maps.items():
            record = self.records.get(key)
            cases = record.cases if record else ()
            own = {prediction_name(key, case.case) for case in cases if not case.failure}
            self.diagnostics += [
                error("a label map of no case that was predicted", name)
                for name in names
                if name not in own
            ]


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """Open a bundle and read its records.

    Raises:
        BundleError: it is no bundle, or hostile.
    """
    with open_archive(path) as archive:
        yield Bundle(archive, _manifest(archive))


def _manifest(archive: Archive) -> Manifest:
    if MANIFEST not in archive.members:
        raise BundleError(f"{archive.path}: refused, it has no {MANIFEST}.")
    try:
        raw = archive.read(MANIFEST)
        parse_json(raw)
        manifest = Manifest.model_validate_json(raw)
    except ValueError as problem:
        raise BundleError(
            f"{archive.path}: {MANIFEST} can't be read ({why_invalid(problem)})."
        ) from None
    listed = {name: member.size for name, member in manifest.members.items()}
    there = {name: size for name, size in archive.members.items() if name != MANIFEST}
    if differing := sorted(n for n in {*listed, *there} if listed.get(n) != there.get(n)):
        raise BundleError(
            f"{archive.path}: refused, {printable(differing[0])!r} is not what the manifest lists "
            f"({len(differing)} such)."
        )
    return manifest


def parse_record(raw: bytes, key: str) -> Record:
    """A record from a stranger's bytes, strictly.

    Raises:
        ValueError: it breaks a rule of the schema, or its names are no plain ones.
    """
    try:
        told = parse_json(raw)
        record = Record.model_validate_json(raw, strict=True)
    except ValueError as problem:
        raise ValueError(why_invalid(problem)) from None
    if record.schema_version != SCHEMA:
        raise ValueError(f"schema {record.schema_version}, this voxbench reads {SCHEMA}")
    if record.key != key:
        raise ValueError(f"its key is {printable(record.key)!r}")
    if strange := next((name for name in _names(record) if not is_plain(name)), None):
        raise ValueError(f"the name {printable(strange)!r} holds marks that tables can't show")
    _check_texts(told)
    _distinct(record)
    return record


def why_not_submitted(record: Record) -> str | None:
    """Why a record can't be submitted, whatever it says; None if it can."""
    if record.smoke or record.cell.get("limit") is not None:
        return "a smoke run, which measures nothing"
    if record.external:
        return "scores on an external test set, which nobody else can recompute yet"
    return "imported scores, which have no cell" if record.imported else None


def _names(record: Record) -> Iterator[str]:
    """All that tables and pages show of a record."""
    yield from (value for value in record.arm.model_dump().values() if isinstance(value, str))
    yield record.sweep
    for case in record.cases:
        yield from (case.case, case.patient, *case.classes)
    if data := record.data:
        yield from (data.fingerprint, data.split_sha256)
        yield from (*data.train, *data.validation, *data.test)
    if record.weights:
        yield record.weights.origin
    if record.contamination:
        yield from record.contamination.shared


def _check_texts(told: object) -> None:
    """Every text of a record: notes, reasons, versions and the names of tensors too."""
    for text in texts(told):
        if not text.replace("\n", "").isprintable() or len(text) > _LONGEST_TEXT:
            raise ValueError(f"the text {printable(text)!r} holds control characters, or too many")
        if without_places(text) != text:
            raise ValueError(f"the text {printable(text)!r} tells a place, user or host")


def _distinct(record: Record) -> None:
    """No case twice, also by the name of its label map."""
    files = {prediction_path(Path(), "", name) for name in {c.case for c in record.cases}}
    if len(files) < len(record.cases):
        raise ValueError("a case is there twice")


def why_invalid(problem: ValueError) -> str:
    """What is wrong, in one line."""
    return printable(first_rule(problem) if isinstance(problem, ValidationError) else str(problem))
