"""Analyses of many records: seconds and peak memory of each verb, in a process of its own.

    python tests/benchmarks/records.py FOLDER [--tasks 10]

Records of 20 arms × 5 seeds × 200 patients × 25 classes a task are written into FOLDER unless they
are there, and `rank`, `report`'s tables and `compare` run on them; `plan` and `status` on a sweep
of 100,000 cells, half of them finished. Exit code 1 if a limit is broken: for ten tasks 60 s and
1.5 GB, 5 s for `compare`, 3 s and 0.5 GB for 100,000 cells.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from voxbench.design.cell import digest
from voxbench.design.sweep_file import read_sweep
from voxbench.records import Record, Store
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.records.cost import Cost
from voxbench.records.provenance import Data
from voxbench.records.record import Arm
from voxbench.running.bind import bind

ARMS, SEEDS, PATIENTS, CLASSES = 20, 5, 200, 25
SWEEP = """name = "cells"
fractions = ["1 shot", "2 shots", "3 shots", "5 shots", 1.0]
draws = 10
seeds = 100

[[tasks]]
name = "phantom-lesion"

[[baselines]]
name = "scratch"
size = ["tiny", "small"]

[[baselines]]
name = "masked-autoencoder"
source = "phantom-atlas"
size = ["tiny", "small"]
ratio = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
"""
MAIN = "from voxbench.cli import main; main()"
TABLES = (
    "from pathlib import Path; from voxbench.reporting.report import write_report; import sys; \
write_report(Path(sys.argv[1]), Path(sys.argv[1]) / 'report')"
)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tasks", type=int, default=10)
    asked = parser.parse_args()
    folder, cells = str(asked.folder / "scores"), str(asked.folder / "cells")
    write_records(Path(folder), asked.tasks)
    sweep = write_cells(Path(cells))
    kept = [
        measured("plan", MAIN, ["plan", sweep, "-o", cells], 3, 0.5),
        measured("status", MAIN, ["status", cells], 3, 0.5),
        measured("compare", MAIN, ["compare", label(3), label(7), folder], 5, 1.5),
        measured("rank", MAIN, ["rank", folder, "--json"], 60, 1.5),
        measured("report's tables", TABLES, [folder], 60, 1.5),
        measured("the same again", TABLES, [folder], 60, 1.5),
    ]
    return 0 if all(kept) else 1


def measured(name: str, code: str, arguments: list[str], seconds: float, gigabytes: float) -> bool:
    """Run Python code in a new process; print what it took, say whether the limits are kept."""
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    took, peak, cpu = time.monotonic() - began, used.ru_maxrss / 1024**2, used.ru_utime
    failed = "" if status == 0 else f", exit code {os.waitstatus_to_exitcode(status)}"
    print(
        f"{name}: {took:.1f} s (CPU {cpu + used.ru_stime:.1f}), {peak:.2f} GB{failed}", flush=True
    )
    return took <= seconds and peak <= gigabytes and status == 0


def write_records(folder: Path, tasks: int) -> None:
    """Those that are not there yet: scores that differ by arm, seed, patient and class."""
    store = Store(folder)
    known = {path.stem for path in store.files()}
    missing = [
        (folder, task, arm, seed)
        for task in range(tasks)
        for arm in range(ARMS)
        for seed in range(SEEDS)
        if key(task, arm, seed) not in known
    ]
    with multiprocessing.Pool() as pool:
        pool.starmap(write_one, missing, chunksize=8)


def write_one(folder: Path, task: int, arm: int, seed: int) -> None:
    Store(folder).write(made(task, arm, seed))


def write_cells(folder: Path) -> str:
    """The file of a sweep of 100,000 cells, and small records of half of them."""
    spec = folder / "sweep.toml"
    folder.mkdir(parents=True, exist_ok=True)
    spec.write_text(SWEEP)
    record = made(0, 0, 0)
    record.cases = record.cases[:4]
    text = record.model_dump_json(indent=1)
    store = Store(folder)
    for cell in bind(read_sweep(spec))[::2]:
        path = store.path(cell.key)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(record.key, cell.key))
    return str(spec)


def key(task: int, arm: int, seed: int) -> str:
    return digest([task, arm, seed])[:20]


def label(arm: int) -> str:
    return f"arm-{arm:02}" if arm else "scratch"


def made(task: int, arm: int, seed: int) -> Record:
    shared, own = np.random.default_rng([task]), np.random.default_rng([task, arm, seed])
    hard = shared.beta(2, 12, (PATIENTS, 1)) + shared.beta(2, 12, (1, CLASSES))
    empty = shared.random((PATIENTS, CLASSES)) < 0.02
    error = hard * (1.1 - 0.01 * arm + own.normal(0, 0.02)) + own.normal(0, 0.02, empty.shape)
    dice = np.where(empty, np.nan, np.clip(1 - np.abs(error), 0, 1))
    distance = 40 * (1 - dice) + own.exponential(1, dice.shape)
    cases = [
        CaseScores(
            case=f"case-{patient:03}",
            patient=f"patient-{patient:03}",
            classes={
                f"organ-{place:02}": ClassScores(
                    dice=dice[patient, place],
                    nsd=np.sqrt(dice[patient, place]),
                    hd95_mm=distance[patient, place],
                    volume_mm3_prediction=np.nan_to_num(dice[patient, place]) * 1e5,
                    volume_mm3_reference=0 if empty[patient, place] else 1e5,
                    flag="both_empty" if empty[patient, place] else "",
                )
                for place in range(CLASSES)
            },
        )
        for patient in range(PATIENTS)
    ]
    return Record(
        key=key(task, arm, seed),
        status="ok",
        smoke=False,
        sweep="made",
        arm=Arm(
            task=f"task-{task}",
            baseline=label(arm),
            twin="scratch" if arm else None,
            strategy="self-supervised" if arm else "scratch",
            network="unet-small",
            fraction="100%",
            draw=0,
            seed=seed,
            adaptation="full",
        ),
        cell={"recipe": {"steps": 1000}, "baseline": [label(arm), {}], "limit": None},
        environment={},
        seeds={},
        data=Data(
            fingerprint=digest(task),
            split_sha256=digest([task]),
            train=[f"train-{i}" for i in range(400)],
            validation=[],
            test=[case.case for case in cases],
            train_patients=400,
        ),
        cost=Cost(
            seconds=1000,
            fit_seconds=900,
            predict_seconds=100,
            steps=1000,
            peak_memory_mb=8000,
            parameters=10**7,
            gpu_hours=0.25,
            cpu_hours=0,
        ),
        metrics_version="1",
        cases=cases,
    )


if __name__ == "__main__":
    sys.exit(main())
