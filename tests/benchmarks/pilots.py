"""Pilots in one folder, killed at random: each cell is trained by one, and scores are equal.

Five `voxbench work` take the cells of a sweep, real trainings of some seconds. Now and then one
is killed (`kill -9`) or asked to stop (SIGTERM), by turns, and another takes its place. A cell may
be begun again only where the pilot that had it was ended so, and what is there at the end must be
equal, byte for byte, to a run that was left alone.

    python tests/benchmarks/pilots.py [--cells 20] [--kills 12] [--pilots 5]
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from voxbench.records import Store
from voxbench.records.claims import claimed

sys.path.insert(0, str(Path(__file__).parent))
from chaos import make_data, scores, strays

SPEC = """
name = "pilots"
tasks = [{name = "nnunet-folder", root = "ROOT", patients = "case"}]
baselines = ["scratch"]
fractions = ["3 shots"]
seeds = CELLS
[recipe]
steps = 60
patch = [16, 16, 16]
"""
SITE = """
import importlib.util, os, sys


class Noting:
    \"\"\"Lets each cell that is begun be noted, with its pilot.\"\"\"

    def find_spec(self, name, path=None, target=None):
        if name != "voxbench.running.cell":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            run_cell = module.run_cell

            def noted(record, cell, worker):
                with open(os.environ["PILOTS_LOG"], "a") as log:
                    log.write(f"{record.key} {os.getppid()}\\n")
                return run_cell(record, cell, worker)

            module.run_cell = noted

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Noting())
"""
"""What Python runs first in these processes."""


class Ground:
    """A folder with data, a sweep and what is noted of the pilots on it."""

    def __init__(self, folder: Path, cells: int) -> None:
        self.folder, self.spec = folder, folder / "pilots.toml"
        make_data(folder / "data")
        text = SPEC.replace("ROOT", str(folder / "data")).replace("CELLS", str(cells))
        self.spec.write_text(text)
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(SITE)

    def start(self, verb: str, name: str) -> subprocess.Popen[bytes]:
        """`voxbench run` or `work` into `name`, with one worker."""
        told = {
            "PYTHONPATH": os.pathsep.join([str(self.folder / "site"), *sys.path]),
            "PILOTS_LOG": str(self.folder / f"{name}.begun"),
            "VOXBENCH_CACHE": str(self.folder / f"cache-{name}"),
        }
        words = [verb, str(self.spec), "-o", str(self.folder / name), "-j", "1"]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "voxbench", *words],
                env={**os.environ, **told},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def begun(self, name: str) -> dict[str, list[int]]:
        """Key → the pilots that began the cell, in their order."""
        found = defaultdict(list)
        log = self.folder / f"{name}.begun"
        for line in log.read_text().splitlines() if log.exists() else ():
            key, pilot = line.split()
            found[key].append(int(pilot))
        return found


def end(pilot: subprocess.Popen[bytes], how: signal.Signals) -> float:
    """End one and wait for it; gives the seconds that it took."""
    asked = time.monotonic()
    pilot.send_signal(how)
    pilot.wait()
    return time.monotonic() - asked


def main() -> None:
    """Run it and tell what came of it; exit code 1 if anything is not as it should be."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=20)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--pilots", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng, kinds = random.Random(asked.seed), (signal.SIGKILL, signal.SIGTERM)
    with TemporaryDirectory(prefix="voxbench-pilots-") as name:
        ground = Ground(Path(name), asked.cells)
        root, began = ground.folder / "shared", time.monotonic()
        if ground.start("run", "alone").wait():
            sys.exit((ground.folder / "log").read_text())
        alone_s = time.monotonic() - began
        print(f"left alone: {asked.cells} cells in {alone_s:.0f} s", flush=True)
        running = [ground.start("work", "shared") for _ in range(asked.pilots)]
        ended: dict[int, str] = {}
        slowest, codes = 0.0, set[int]()
        while len(ended) < asked.kills and len(Store(root).files()) < asked.cells:
            time.sleep(rng.uniform(0, 2 * alone_s / asked.kills))
            held = {holder.pid for _, holder in claimed(root)}
            able = [one for one in running if one.poll() is None and one.pid in held]
            if not able:
                continue
            victim, how = rng.choice(able), kinds[len(ended) % 2]
            took = end(victim, how)
            if victim.returncode != 0:  # and had not ended by itself
                ended[victim.pid] = how.name
            if how is signal.SIGTERM:
                slowest = max(slowest, took)
                codes.add(victim.returncode)
            running.remove(victim)
            running.append(ground.start("work", "shared"))
            print(f"{how.name} {took:.1f} s, {len(Store(root).files())} records", flush=True)
        codes |= {pilot.wait() for pilot in running}
        codes.add(ground.start("work", "shared").wait())
        begun = ground.begun("shared")
        again = [pilot for pilots in begun.values() for pilot in pilots[:-1]]
        wrong = {
            "cells without a record": asked.cells - len(Store(root).files()),
            "begun again without reason": sum(pilot not in ended for pilot in again),
            "scores that differ": scores(root) != scores(ground.folder / "alone"),
            "claims left": len(list(claimed(root))),
            "stray files": len(strays(root)),
            "exit codes": sorted(codes - {0, os.EX_TEMPFAIL}),
            "tracebacks": (ground.folder / "log").read_text().count("Traceback"),
        }
        done = {
            "cells": len(begun),
            "begun": sum(map(len, begun.values())),
            "pilots killed": sum(how == "SIGKILL" for how in ended.values()),
            "pilots stopped": sum(how == "SIGTERM" for how in ended.values()),
            "slowest to stop, s": round(slowest, 1),
        }
        wrong = {what: found for what, found in wrong.items() if found}
        print(json.dumps({"done": done, "wrong": wrong}, indent=1))
        if wrong:
            print((ground.folder / "log").read_text()[-10000:])
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
