"""The first call of our metrics in a new process: with its kernels cached, and with none cached.

    python tests/benchmarks/metrics_start.py

Wall clock and processor seconds from the start of Python to the first scores, the import included.
"""

import os
import resource
import subprocess
import sys
import time
from statistics import median
from tempfile import TemporaryDirectory

FIRST_CALL = """
import numpy as np
from voxbench.metrics import evaluate
mask = np.zeros((40, 40, 40), np.uint8)
mask[5:20, 5:20, 5:20] = 1
evaluate(np.roll(mask, 2, 0), mask, {"it": 1}, (1.0, 1.0, 1.0), 1.0, "DEFINITION")
"""


def seconds(code: str, cache: str) -> tuple[float, float]:
    """Wall clock and processor time of `code` in a new process, kernels cached in `cache`."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"NUMBA_CACHE_DIR": cache},
                   check=True)  # fmt: skip
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    print("first call in a new process: wall clock, processor time")
    for definition in ("surface", "voxel"):
        code = FIRST_CALL.replace("DEFINITION", definition)
        with TemporaryDirectory() as cache:
            compiled = seconds(code, cache)
            cached = [seconds(code, cache) for _ in range(7)]
        wall, processor = (median(column) for column in zip(*cached, strict=True))
        print(f"  {definition:8} cached   {wall:6.2f} s {processor:6.2f} s")
        print(f"  {definition:8} compiled {compiled[0]:6.2f} s {compiled[1]:6.2f} s")


if __name__ == "__main__":
    main()
