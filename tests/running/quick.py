"""Cells that take no time: what a race decides from, without any training."""

import zlib
from typing import Any

import numpy as np
from voxbench.errors import FitError
from voxbench.pretrain import engine
from voxbench.records import Store
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.records.cost import Cost
from voxbench.records.provenance import Data
from voxbench.running import cell as cell_module


def quick_cells(monkeypatch) -> dict[str, Any]:
    """Let cells of the example's denoising have chosen scores; gives what a test may change.

    With `noise=0.1` an arm is clearly better and slow; with another noise its seeds differ so much
    that nothing can be told, and it is fast.
    """
    settings: dict[str, Any] = {"patients": 12, "failing": ()}

    def run(record, cell, worker):
        arm = record.arm
        if (arm.baseline, arm.seed) in settings["failing"]:
            raise FitError("out of luck")
        rng = np.random.default_rng(zlib.crc32(f"{arm.baseline} {arm.draw} {arm.seed}".encode()))
        clear = "noise=0.1" in arm.baseline
        hard = "example-denoising" in arm.baseline and not clear
        mean = 0.4 + 0.2 * clear + rng.normal(0, 0.1) * hard
        record.cases = [
            CaseScores(case=f"{i}", patient=f"{i:02}", classes={"cube": _score(mean, rng)})
            for i in range(settings["patients"])
        ]
        seconds = 100.0 if clear else 10.0
        record.cost = Cost(
            seconds=seconds, fit_seconds=1, predict_seconds=1, steps=4, peak_memory_mb=1,
            parameters=1, gpu_hours=0, cpu_hours=seconds / 3600,
        )  # fmt: skip
        record.data = Data(
            fingerprint="f", split_sha256="s", train=[], validation=[], test=[], train_patients=2
        )
        record.status = "ok"
        Store(worker.root).write(record)

    monkeypatch.setattr(cell_module, "run_cell", run)
    monkeypatch.setattr(engine, "make_weights", lambda *_, **__: None)
    return settings


def _score(mean: float, rng: np.random.Generator) -> ClassScores:
    dice = float(mean + rng.normal(0, 0.01))
    return ClassScores(
        dice=dice, nsd=dice, hd95_mm=1.0, volume_mm3_prediction=1.0, volume_mm3_reference=1.0
    )
