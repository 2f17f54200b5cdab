"""A folder of 100,000 records: what `status`, finding one and adding one take.

    python tests/benchmarks/folder.py FOLDER [--records 100000]

The records are written into FOLDER unless they are there. Of the processor, and by the clock.
"""

import argparse
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from voxbench.design.cell import digest
from voxbench.records import Store

sys.path.insert(0, str(Path(__file__).parent))
from records import MAIN, made

FOUND, ADDED = 1000, 200


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=100_000)
    asked = parser.parse_args()
    store, record = Store(asked.folder), made(0, 0, 0)
    record.cases = record.cases[:1]
    keys = [digest(["folder", i])[:20] for i in range(asked.records)]
    fill(store, keys, record.model_dump_json(indent=1).replace(record.key, "KEY"))
    shutil.rmtree(asked.folder / "index", ignore_errors=True)
    time.sleep(2.5)  # what has just changed is not trusted
    told("status, without an index", lambda: status(asked.folder))
    told("status, again", lambda: status(asked.folder))
    told("the glances alone, in a process that runs", lambda: list(Store(asked.folder).glances()))
    chosen = random.Random(0).sample(keys, FOUND)
    told("one is found and read", lambda: [store.read(key) for key in chosen], FOUND)
    told(
        "that one is missing is found",
        lambda: [store.read(key[::-1]) for key in keys[:FOUND]],
        FOUND,
    )
    new = [record.model_copy(update={"key": digest(["new", i])[:20]}) for i in range(ADDED)]
    told("one is added", lambda: [store.write(one) for one in new], ADDED)
    told(f"status, {ADDED} were added", lambda: status(asked.folder))
    for one in new:
        store.path(one.key).unlink()


def fill(store: Store, keys: list[str], text: str) -> None:
    known = {path.stem for path in store.files()}
    for key in keys:
        if key not in known:
            path = store.path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("KEY", key))


def status(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", MAIN, "status", str(folder)], check=True, stdout=subprocess.DEVNULL
    )


def told(what: str, work: Callable[[], object], count: int = 1) -> None:
    import resource

    def cpu() -> float:
        kinds = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
        return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, kinds))

    began, used = time.perf_counter(), cpu()
    work()
    wall, used = time.perf_counter() - began, cpu() - used
    unit, scale = ("ms", 1000 / count) if count > 1 else ("s", 1.0)
    print(f"{what}: {used * scale:.2f} {unit} of CPU, {wall * scale:.2f} {unit}", flush=True)


if __name__ == "__main__":
    main()
