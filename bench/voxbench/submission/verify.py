"""All that can be checked of a bundle here: one list of errors, warnings and what was left."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxbench import metrics
from voxbench.design.cell import Cell
from voxbench.records import Record
from voxbench.submission.agreement import check_agreement, check_alike
from voxbench.submission.bundle import Bundle, open_bundle, why_invalid, why_not_submitted
from voxbench.submission.completeness import check_complete
from voxbench.submission.data import check_data, check_together
from voxbench.submission.diagnostics import Diagnostic, error, summaries, unchecked, warning
from voxbench.submission.duplicates import check_duplicates
from voxbench.submission.evidence import Evidence, contradicts
from voxbench.submission.identity import check_identity
from voxbench.submission.rescore import Rescored, rescore
from voxbench.submission.scores import check_scores


@dataclass(frozen=True)
class Verification:
    """What is known of a bundle.

    Attributes:
        bundle: whose archive is closed; its records stay.
        diagnostics: what was found.
    """

    bundle: Bundle
    diagnostics: tuple[Diagnostic, ...]

    @property
    def verified(self) -> bool:
        """Whether there is no error."""
        return not self.errors

    @property
    def errors(self) -> list[str]:
        """What refuses the bundle."""
        return summaries(self.diagnostics, "error")

    @property
    def warnings(self) -> list[str]:
        """What a person should look at."""
        return summaries(self.diagnostics, "warning")

    @property
    def unchecked(self) -> list[str]:
        """What could not be checked here, and why."""
        return summaries(self.diagnostics, "unchecked")

    def plain(self) -> dict[str, Any]:
        """As JSON, with every single diagnostic."""
        return {
            "verified": self.verified,
            "sha256": self.bundle.sha256,
            "submitter": self.bundle.manifest.submitter.model_dump(),
            "records": sorted(self.bundle.records),
            "label_maps": self.bundle.label_maps,
            "findings": [diagnostic._asdict() for diagnostic in self.diagnostics],
        }


def verify_bundle(path: Path, evidence: Evidence) -> Verification:
    """Check a bundle against itself, the task's data and the results that are known.

    Raises:
        BundleError: it can't be read as a bundle, or is hostile.
    """
    with open_bundle(path) as bundle:
        return Verification(bundle, tuple(dict.fromkeys(_diagnostics(bundle, evidence))))


def _diagnostics(bundle: Bundle, evidence: Evidence) -> Iterator[Diagnostic]:
    yield from bundle.diagnostics
    records = [record for record in bundle.records.values() if not why_not_submitted(record)]
    if not any(record.status == "ok" for record in records):
        yield error("no finished record")
    cells: dict[str, Cell] = {}
    for record in bundle.records.values():
        if reason := why_not_submitted(record):
            yield error(reason, record.key)
            continue
        yield from check_scores(record)
        try:
            cells[record.key] = cell = Cell.from_json(record.cell)
        except ValueError as problem:
            yield error("its cell can't be read", f"{record.key}: {why_invalid(problem)}")
            continue
        yield from check_agreement(record, cell)
        yield from check_identity(record, cell, evidence)
        yield from check_data(record, cell, evidence)
    yield from check_together(records, evidence.records.values())
    yield from check_alike(records, evidence.records.values())
    yield from check_complete(records, evidence.records.values())
    yield from _known(bundle, evidence)
    rescored = rescore(bundle, cells, evidence)
    yield from rescored.diagnostics
    yield from _versions(records, rescored)
    yield from check_duplicates(bundle, rescored.digests, evidence)


def _known(bundle: Bundle, evidence: Evidence) -> Iterator[Diagnostic]:
    if evidence.results is None:
        yield unchecked("copies of, and agreement with, known results: no folder of them was given")
    for key, record in bundle.records.items():
        known = evidence.records.get(key)
        if known and contradicts(record, known):
            yield error("another record than the one of the same key in the results", key)


def _versions(records: list[Record], rescored: Rescored) -> Iterator[Diagnostic]:
    """Other metric definitions than today's, unless the label maps give the same scores today."""
    for record in records:
        if record.metrics_version == metrics.METRICS_VERSION:
            continue
        told = f"{record.key}: {record.metrics_version!r}, this is {metrics.METRICS_VERSION!r}"
        if record.key in rescored.confirmed:
            yield warning("an older version of the metrics, scored again with equal result", told)
        else:
            yield error("another version of the metrics, and no label maps to score again", told)
