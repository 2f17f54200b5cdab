"""How long the command line takes before it does anything, against Python's own start."""

import subprocess
import sys
import time
from statistics import median


def seconds(*command: str, runs: int = 7) -> float:
    """Median wall clock of a command after one warm-up."""
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return median(times[1:])


def main() -> None:
    bare = seconds(sys.executable, "-c", "pass")
    heavy = seconds(sys.executable, "-c", "import torch, monai, pytorch_lightning", runs=3)
    print(f"{'python -c pass':40} {bare:6.3f} s")
    print(f"{'import torch, monai, pytorch_lightning':40} {heavy:6.3f} s")
    for words in (["--help"], ["ls", "tasks"], ["ls", "baselines"], ["ls", "sweeps"]):
        took = seconds(sys.executable, "-c", "from voxbench.cli import main; main()", *words)
        name = " ".join(["voxbench", *words])
        print(f"{name:40} {took:6.3f} s  {heavy / took:5.1f}x below the imports")


if __name__ == "__main__":
    main()
