"""What a run leaves, made in a second: see conftest."""

import io
import zipfile
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
from nibabel.affines import voxel_sizes
from voxbench import metrics
from voxbench.data.fraction import draw_subset
from voxbench.data.label_map import write_label_map
from voxbench.data.volumes import read_reference
from voxbench.design.sweep_file import parse_sweep
from voxbench.records import Record, Store
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.records.cost import Cost
from voxbench.records.predictions import prediction_path
from voxbench.records.provenance import Data, LoadAudit, Weights
from voxbench.running.bind import bind
from voxbench.running.bound import BoundCell
from voxbench.running.plan import plan_cells
from voxbench.running.unfinished import unfinished_record
from voxbench.running.worker import Worker
from voxbench.submission.manifest import MANIFEST, Manifest, Member, Submitter

SWEEP = {
    "name": "tiny",
    "tasks": ["boxes"],
    "baselines": [
        {"name": "scratch", "size": "tiny"},
        {"name": "example-denoising", "size": "tiny", "source": "boxes"},
    ],
    "fractions": ["2 shots", "4 shots"],
    "seeds": 2,
    "recipe": {"steps": 4, "patch": [16, 16, 16], "augmentation": "none"},
    "pretraining": {"steps": 4, "patch": [16, 16, 16], "augmentation": "none"},
}
AUDIT = LoadAudit(
    loaded_share=1.0, loaded_total_share=0.6, missing=[], unused=[], hash_before="a",
    hash_after="b", activation_before=[], activation_after=[],
)  # fmt: skip


def make(root: Path, **changes) -> Path:
    """The records, label maps and split of `SWEEP`: two arms, two fractions, two seeds."""
    store = Store(root)
    for planned in plan_cells(bind(parse_sweep(SWEEP | changes)), root):
        store.write(_record(planned.cell, root))
    return root


def _record(bound: BoundCell, root: Path) -> Record:
    cell, card, split = bound.cell, bound.trainings.dataset.card, bound.trainings.dataset.split
    record = unfinished_record(bound, Worker(root, "tiny"))
    present = {c.id: frozenset(card.classes) for c in (*split.train, *split.validation)}
    chosen = draw_subset(split, cell.fraction, record.seeds["subset"], present)
    record.data = Data(
        fingerprint=bound.trainings.dataset.identity,
        split_sha256=bound.trainings.dataset.partition or split.sha256,
        train=[case.id for case in chosen.train],
        validation=[case.id for case in chosen.validation],
        test=[case.id for case in split.test],
        train_patients=len(chosen.train),
    )
    if cell.source:
        record.weights = Weights(origin="x on boxes", sha256="a" * 64, audit=AUDIT, volumes=14)
    record.cost = Cost(
        seconds=2.0, fit_seconds=1.0, predict_seconds=1.0, steps=4, peak_memory_mb=1.0,
        parameters=9, gpu_hours=0.0, cpu_hours=2 / 3600,
    )  # fmt: skip
    record.training = {2: 1.0, 4: 0.5}
    record.cases = [_case(record.key, case, card, root) for case in split.test]
    record.status = "ok"
    return record


def _case(key, case, card, root) -> CaseScores:
    reference, affine = read_reference(case, card)[:2]
    random = np.random.default_rng(zlib.crc32(f"{key} {case.id}".encode()))
    prediction = np.where(random.random(reference.shape) < 0.2, 0, reference)
    write_label_map(prediction_path(root, key, case.id), prediction, affine)
    return scored(case, card, prediction, reference, affine)


def scored(case, card, prediction, reference, affine) -> CaseScores:
    classes = {name: i for i, name in enumerate(card.classes, start=1)}
    spacing = tuple(map(float, voxel_sizes(affine)))
    found = metrics.evaluate(prediction, reference, classes, spacing, card.tolerance_mm)
    told = {
        name: ClassScores(**{field: getattr(score, field) for field in ClassScores.model_fields})
        for name, score in found.items()
    }
    return CaseScores(case=case.id, patient=case.patient, classes=told)


def members(root: Path, change: Callable[[Record], object] = lambda record: None) -> dict:
    """The members of a bundle of a folder, whose records `change` may have changed in place."""
    found = {}
    for record in Store(root):
        change(record)
        found[f"records/{record.key}.json"] = record.model_dump_json(indent=1).encode()
    return found


def maps(root: Path) -> dict[str, bytes]:
    """The label maps of a folder as members."""
    files = sorted((root / "predictions").glob("*/*.nii.gz"))
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}


def manifest(content: dict[str, bytes], name: str = "somebody") -> bytes:
    listed = {
        member: Member(sha256=sha256(raw).hexdigest(), size=len(raw))
        for member, raw in content.items()
    }
    told = Manifest(
        voxbench="0.1.0",
        submitter=Submitter(name=name),
        created="2026-01-01T00:00:00Z",
        members=listed,
    )
    return told.model_dump_json().encode()


def archive(content: dict[str, bytes] | list[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    """A zip archive of these members."""
    buffer = io.BytesIO()
    items = content.items() if isinstance(content, dict) else content
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in items:
            file.writestr(name, raw, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def bundle(path: Path, content: dict[str, bytes], name: str = "somebody") -> Path:
    """Write a bundle with a manifest that lists these members as they are."""
    path.write_bytes(archive({MANIFEST: manifest(content, name), **content}))
    return path
