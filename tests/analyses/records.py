"""Synthetic records: small, valid, and with scores that a test chooses."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from voxbench.records import Record, Store
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.records.cost import Cost
from voxbench.records.provenance import Data, LoadAudit, Weights
from voxbench.records.record import Arm

SCRATCH = "scratch[architecture=unet,size=small]"
MASKED = "masked-autoencoder[source=malf,volumes=28]"
LABELLED = {"3 shots": 3, "10 shots": 10, "10%": 16, "100%": 160}

Score = Callable[[int, str], float]


def scores(dice: float, **others: Any) -> ClassScores:
    given = {"nsd": dice, "hd95_mm": 10 * (1 - dice), "volume_mm3_prediction": 1.0}
    return ClassScores(dice=dice, **{**given, "volume_mm3_reference": 1.0, **others})


def cases(dice: Score, patients: int = 8, classes: tuple[str, ...] = ("a",)) -> list[CaseScores]:
    """One case a patient; `dice` gives the score of (patient, class)."""
    return [
        CaseScores(
            case=f"case{i}",
            patient=f"p{i:03}",
            classes={name: scores(dice(i, name)) for name in classes},
        )
        for i in range(patients)
    ]


def record(
    found: list[CaseScores] | None,
    baseline: str = SCRATCH,
    task: str = "openkbp",
    fraction: str = "3 shots",
    seed: int = 0,
    draw: int = 0,
    **changes: Any,
) -> Record:
    """A finished record, or a failed one if it has no cases (`found` is None)."""
    twin = None if baseline.startswith("scratch") else SCRATCH
    adaptation = changes.pop("adaptation", "full")
    fold = changes.pop("fold", None)
    cell: Mapping[str, Any] = changes.pop("cell", {"recipe": {"steps": 300}})
    fingerprint = changes.pop("fingerprint", "d" * 64)
    identity = f"{baseline}-{task}-{fraction}-{draw}-{seed}-{adaptation}"
    identity += "" if fold is None else f"-{fold}"
    key = changes.pop("key", identity.translate({ord(c): "-" for c in "[]=, %"}))
    done: dict[str, Any] = {} if found is None else _done(found, fraction, twin, fingerprint)
    return Record(
        key=key,
        status="failed" if found is None else "ok",
        smoke=changes.pop("smoke", False),
        sweep="test",
        arm=Arm(
            task=task,
            baseline=baseline,
            twin=twin,
            strategy=baseline.partition("[")[0],
            network="unet-small",
            fraction=fraction,
            draw=draw,
            seed=seed,
            adaptation=adaptation,
            fold=fold,
        ),
        cell=dict(cell),
        environment={},
        seeds={},
        failure=changes.pop("failure", "out of memory") if found is None else None,
        **{**done, **changes},
    )


def _done(
    found: list[CaseScores], fraction: str, twin: str | None, fingerprint: str
) -> dict[str, Any]:
    return {
        "cases": found,
        "data": Data(
            fingerprint=fingerprint,
            split_sha256="s",
            train=[],
            validation=[],
            test=[case.case for case in found],
            train_patients=LABELLED[fraction],
        ),
        "cost": Cost(
            seconds=12.0,
            fit_seconds=10.0,
            predict_seconds=2.0,
            steps=300,
            peak_memory_mb=100.0,
            parameters=1000,
            gpu_hours=0.0,
            cpu_hours=0.01,
        ),
        "weights": twin and WEIGHTS,
    }


WEIGHTS = Weights(
    origin="masked-autoencoder on malf",
    sha256="w" * 64,
    audit=LoadAudit(
        loaded_share=1.0,
        loaded_total_share=0.6,
        missing=[],
        unused=[],
        hash_before="a",
        hash_after="b",
        activation_before=[],
        activation_after=[],
    ),
    volumes=28,
    cpu_hours=0.25,
)


def stored(folder: Path, *records: Record) -> Store:
    """A store with these records."""
    store = Store(folder)
    for item in records:
        store.write(item)
    return store
