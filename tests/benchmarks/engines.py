"""What engines cost beside the work: milliseconds a cell that does nothing but write its record.

    python tests/benchmarks/engines.py [--cells 10000] [--workers 2] [--only pool ray …]

The pool's and Ray's engine claim each cell, hand it to a process, and store its record; Ray and
submitit alone are handed as many functions that do nothing (submitit one process each, by its own
local executor, so at most `--most`). Workers start before the clock does.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

QUICK = '''
import time
from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Baseline, BaselineCard
from voxbench.records import Store
from voxbench.records.cost import Cost
from voxbench.running import cell

def nothing(record, bound, worker):
    record.status = "ok"
    Store(worker.root).write(record)

cell.run_cell = nothing

@dataclass(frozen=True, kw_only=True)
class Idle(Baseline):
    """Trains nothing."""

    architecture: str = "unet"
    size: str = "tiny"
    card: ClassVar = BaselineCard(name="idle", strategy="scratch", licence="x", reference="x")
'''


def nothing() -> None:
    """No work."""


def by_engine(make: Callable[[], object], cells: int, workers: int) -> float:
    """Milliseconds a cell between the first outcome and the last."""
    from voxbench import plugins
    from voxbench.design.sweep_file import parse_sweep
    from voxbench.running.options import Options
    from voxbench.running.sweep import run_sweep
    from voxbench.running.watch import Watch

    class Clock(Watch):
        def __init__(self) -> None:
            self.moments: list[float] = []

        def finished(self, outcome) -> None:
            assert outcome.failure is None, outcome.failure
            self.moments.append(time.perf_counter())

    with TemporaryDirectory() as name:
        (folder := Path(name) / "loose").mkdir()
        (folder / "idle.py").write_text(QUICK)
        plugins.include(folder)
        sweep = parse_sweep(
            {"name": "idle", "tasks": "phantom-atlas", "baselines": "idle", "seeds": cells}
        )
        options = Options(jobs=workers, include=[folder], isolated=True, engine=make())
        run_sweep(sweep, Path(name) / "out", options, clock := Clock())
    return (clock.moments[-1] - clock.moments[0]) / (len(clock.moments) - 1) * 1e3


def ray_alone(cells: int, workers: int) -> float:
    """Milliseconds a task."""
    import ray

    ray.init(address="local", num_cpus=workers, include_dashboard=False, log_to_driver=False)
    task = ray.remote(max_retries=0)(nothing)
    ray.get([task.remote() for _ in range(20)])
    started = time.perf_counter()
    ray.get([task.remote() for _ in range(cells)])
    taken = time.perf_counter() - started
    ray.shutdown()
    return taken / cells * 1e3


def submitit_alone(cells: int, workers: int) -> float:
    """Milliseconds a job, `workers` at a time."""
    import submitit

    with TemporaryDirectory() as name:
        executor = submitit.LocalExecutor(name)
        started = time.perf_counter()
        for first in range(0, cells, workers):
            jobs = [executor.submit(nothing) for _ in range(min(workers, cells - first))]
            for job in jobs:
                job.result()
        return (time.perf_counter() - started) / cells * 1e3


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--most", type=int, default=100)
    parser.add_argument("--only", nargs="*", default=["pool", "ray", "ray-alone", "submitit-alone"])
    asked = parser.parse_args()
    from voxbench.running.engines.pool import Pool
    from voxbench.running.engines.ray import Ray

    cells, workers, few = asked.cells, asked.workers, min(asked.cells, asked.most)
    measured = {
        "pool": lambda: by_engine(Pool, cells, workers),
        "ray": lambda: by_engine(Ray, cells, workers),
        "ray-alone": lambda: ray_alone(cells, workers),
        "submitit-alone": lambda: submitit_alone(few, workers),
    }
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    told = {}
    for name in asked.only:
        told[name] = measured[name]()
        count = few if name == "submitit-alone" else cells
        print(
            f"{name}: {told[name]:.2f} ms each of {count}, load {os.getloadavg()[0]:.0f}",
            flush=True,
        )
    print(json.dumps(told))


if __name__ == "__main__":
    main()
