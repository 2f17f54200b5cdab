"""What sharing a folder costs: seconds a cell over the work itself, of cells that take no time.

    python tests/benchmarks/claims.py [--cells 10000]

The cells of a sweep are planned and run in this process with a job that does nothing but store a
small record; the same records are then stored without claims, queue and engine. The difference is
told in milliseconds a cell.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from voxbench.design.sweep_file import parse_sweep
from voxbench.records import Store
from voxbench.running.bind import bind
from voxbench.running.engines.inline import run_inline
from voxbench.running.jobs import CellJob
from voxbench.running.queue import Queue
from voxbench.running.unfinished import unfinished_record
from voxbench.running.watch import SILENT
from voxbench.running.worker import Worker


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=10_000)
    asked = parser.parse_args()
    sweep = parse_sweep(
        {
            "name": "none",
            "tasks": ["phantom-lesion"],
            "baselines": ["scratch"],
            "seeds": asked.cells,
        }
    )
    cells = bind(sweep)
    with TemporaryDirectory(prefix="voxbench-claims-") as name:
        shared, alone = Worker(Path(name) / "shared", "none"), Worker(Path(name) / "alone", "none")
        from voxbench.running import cell

        cell.run_cell = lambda record, _bound, worker: stored(record, worker)
        claimed = seconds(lambda: list(run_inline(queue(cells, shared), [shared], SILENT.heard)))
        bare = seconds(lambda: [stored(unfinished_record(one, alone), alone) for one in cells])
        assert len(Store(shared.root).files()) == len(cells)
    each = 1000 / len(cells)
    print(
        f"{len(cells)} cells: {claimed * each:.2f} ms each, of which {bare * each:.2f} ms are the "
        f"record; {(claimed - bare) * each:.2f} ms of claim, queue and engine"
    )


def queue(cells, worker: Worker) -> Queue:
    return Queue(worker.root, map(CellJob, cells))


def stored(record, worker: Worker) -> None:
    record.status = "ok"
    Store(worker.root).write(record)


def seconds(work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
