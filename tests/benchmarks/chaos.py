"""Sweeps that are killed at random moments, on machines that fail, end as one that was left alone.

One sweep is run in peace. The same is then run again and again in another folder, alone or by two
at a time, and killed (`kill -9` of the parent, or of the whole group) at moments drawn over all of
its phases, start-up included; in between prepared cases are truncated or deleted, disks are full,
and the clock is set back. What is left at the end must be equal byte for byte, with no process and
no file too many.

    python tests/benchmarks/chaos.py [--kills 100]
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel
import numpy as np
from voxbench.records import Store

SURVIVAL_S = 2.0  # that a process of a killed run may live on
SPEC = """
name = "chaos"
tasks = [{name = "nnunet-folder", root = "ROOT", patients = "case"}]
fractions = ["3 shots"]
seeds = 1
[[baselines]]
name = "masked-autoencoder"
size = "tiny"
source = "own"
[sources.own]
name = "nnunet-folder"
root = "ROOT"
patients = "case"
[recipe]
steps = 40
patch = [16, 16, 16]
[pretraining]
steps = 40
patch = [16, 16, 16]
"""
SITE = """
import errno, importlib.util, os, sys

if "CHAOS_SYNCS" in os.environ:
    sync, left = os.fsync, iter(range(int(os.environ["CHAOS_SYNCS"])))

    def fsync(handle):
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return sync(handle)

    os.fsync = fsync


class Hurried:
    \"\"\"Lets checkpoints be written all the time.\"\"\"

    def find_spec(self, name, path=None, target=None):
        if name != "voxbench.fit.callbacks":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            module.CHECKPOINT_SECONDS = 0.1

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Hurried())
"""
"""What Python runs first in these processes: full disks, and checkpoints in a hurry."""


class Ground:
    """A folder with data, a sweep and a cache, and the runs on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spec, self.log = folder / "chaos.toml", folder / "log"
        make_data(folder / "data")
        self.spec.write_text(SPEC.replace("ROOT", str(folder / "data")))
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(SITE)

    def start(self, name: str, **environment: str) -> subprocess.Popen[bytes]:
        """A run with two workers into `name`, with the cache of that name."""
        path = os.pathsep.join([str(self.folder / "site"), *sys.path])
        marked = {"CHAOS": str(self.folder), "VOXBENCH_CACHE": str(self.folder / f"cache-{name}")}
        words = ["run", str(self.spec), "-o", str(self.folder / name), "-j", "2"]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "voxbench", *words],
                env={**os.environ, "PYTHONPATH": path, **marked, **environment},
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def processes(self) -> Iterator[int]:
        """All that were started by any run here, however far down."""
        mark = f"CHAOS={self.folder}".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                alive = (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
                if alive and mark in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)
            except OSError:
                continue

    def survivors(self) -> int:
        """How many of them live on for longer than they may."""
        limit = time.monotonic() + SURVIVAL_S
        while (left := list(self.processes())) and time.monotonic() < limit:
            time.sleep(0.02)
        for process in left:
            os.kill(process, signal.SIGKILL)
        return len(left)


def make_data(root: Path, side: int = 24) -> None:
    """Nine volumes of noise, each with a bright box, as an nnU-Net folder; voxels along a side."""
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True)
    table = {"channel_names": {"0": "MR"}, "labels": {"background": 0, "box": 1}}
    (root / "dataset.json").write_text(json.dumps({**table, "file_ending": ".nii.gz"}))
    for number in range(9):
        rng = np.random.default_rng(number)
        label = np.zeros((side, side, side), np.uint8)
        x, y, z = rng.integers(2, 12, 3)
        label[x : x + 9, y : y + 9, z : z + 9] = 1
        image = rng.normal(100, 10, label.shape).astype(np.float32) + 60 * label
        for name, array in ((f"imagesTr/c{number}_0000", image), (f"labelsTr/c{number}", label)):
            nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), root / f"{name}.nii.gz")


def scores(root: Path) -> dict[str, str]:
    """Key → what must be equal to the byte."""
    told = {"status", "cases", "training", "validation", "data"}
    return {record.key: record.model_dump_json(include=told) for record in Store(root)}


def strays(*folders: Path) -> list[Path]:
    """Hidden and temporary files, and checkpoints of what is finished."""
    files = [path for folder in folders for path in folder.rglob("*")]
    return [p for p in files if p.name.startswith(".") or p.suffix in {".tmp", ".ckpt"}]


def harm(ground: Ground, rng: random.Random, done: Counter[str]) -> None:
    """Something that happens to a folder between two runs, or while they run."""
    cases = sorted((ground.folder / "cache-killed" / "prepared").glob("*/*"))
    files = [p for p in ground.folder.glob("*killed/**/*") if p.is_file()]
    records = Store(ground.folder / "killed").files()
    weights = sorted((ground.folder / "cache-killed" / "weights").glob("*"))
    kind = rng.choice(["truncated", "emptied", "deleted", "clock set back", "taken away"])
    if kind == "clock set back":  # what was written so far comes from the future
        future = time.time() + 3 * 24 * 3600
        for path in files:
            with suppress(OSError):
                os.utime(path, (future, future))
    elif kind == "deleted":
        shutil.rmtree(ground.folder / "cache-killed" / "prepared", ignore_errors=True)
    elif kind == "taken away":
        for path in (*records[: rng.randrange(3)], *weights[: rng.randrange(2)]):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(
                missing_ok=True
            )
    elif cases:
        path = rng.choice(cases)
        size = 100 if kind == "truncated" else 0
        with suppress(OSError):
            os.truncate(path, size)
    done[kind] += 1


def main() -> None:
    """Run it and tell what came of it; exit code 1 if anything is not as it should be."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng, done, wrong = random.Random(asked.seed), Counter[str](), Counter[str]()
    with TemporaryDirectory(prefix="voxbench-chaos-") as name:
        ground = Ground(Path(name))
        started = time.monotonic()
        if ground.start("whole").wait() != 0:
            sys.exit(ground.log.read_text())
        whole_s = time.monotonic() - started
        print(f"left alone: {whole_s:.0f} s", flush=True)
        while done["killed"] < asked.kills:
            full = {"CHAOS_SYNCS": str(rng.randrange(40))} if rng.random() < 0.15 else {}
            runs = [ground.start("killed", **full) for _ in range(rng.choice([1, 2]))]
            done["full disks"] += bool(full)
            done["two at a time"] += len(runs) == 2
            until = time.monotonic() + rng.uniform(0, whole_s)
            middle = time.monotonic() + rng.uniform(0, whole_s)
            while time.monotonic() < until and any(run.poll() is None for run in runs):
                if time.monotonic() > middle:
                    harm(ground, rng, done)
                    middle = float("inf")
                time.sleep(0.02)
            for run in runs:
                if run.poll() is None:
                    whole_group = rng.random() < 0.3
                    os.killpg(run.pid, signal.SIGKILL) if whole_group else run.kill()
                    run.wait()
                    done["killed"] += 1
            wrong["survivors"] += ground.survivors()
            harm(ground, rng, done)
            print(dict(done), dict(+wrong), flush=True)
        last = [ground.start("killed") for _ in range(2)]
        codes = [run.wait() for run in last]
        wrong["survivors"] += ground.survivors()
        wrong["last runs that failed"] += sum(code != 0 for code in codes)
        ground.start("killed").wait()
        wrong["tracebacks"] += ground.log.read_text().count("Traceback")
        left = strays(ground.folder / "killed", ground.folder / "cache-killed")
        wrong["stray files"] += len(left)
        wrong["scores that differ"] += scores(ground.folder / "killed") != scores(
            ground.folder / "whole"
        )
        print(json.dumps({"done": dict(done), "wrong": dict(+wrong)}, indent=1))
        if +wrong:
            print(*left, ground.log.read_text()[-20000:], sep="\n")
    sys.exit(bool(+wrong))


if __name__ == "__main__":
    main()
