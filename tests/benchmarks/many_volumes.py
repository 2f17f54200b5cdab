"""Planning a corpus of thousands of volumes: what is opened, and how long it takes, twice.

python -m tests.benchmarks.many_volumes [volumes]
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy as np

SPEC = """
name = "many"
tasks = [{{ name = "nnunet-folder", root = "{root}", patients = "case" }}]
baselines = [{{ name = "scratch", size = "tiny" }}]
fractions = [0.1]
seeds = 1
recipe = {{ steps = 1, patch = [16, 16, 16] }}
"""


def corpus(root: Path, count: int) -> None:
    """Volumes of 8³ voxels with a cube as label, in nnU-Net's layout."""
    random, label = np.random.default_rng(0), np.zeros((8, 8, 8), np.uint8)
    label[2:5, 2:5, 2:5] = 1
    for folder in ("imagesTr", "labelsTr"):
        (root / folder).mkdir(parents=True)
    for number in range(count):
        image = random.normal(0, 60, label.shape).astype(np.float32)
        for place, array in (
            (f"imagesTr/c{number:05}_0000", image),
            (f"labelsTr/c{number:05}", label),
        ):
            volume = nibabel.Nifti1Image(array, np.diag([1.5, 1.5, 1.5, 1.0]))
            (root / f"{place}.nii").write_bytes(volume.to_bytes())
    described = {
        "channel_names": {"0": "CT"}, "labels": {"background": 0, "organ": 1},
        "numTraining": count, "file_ending": ".nii",
    }  # fmt: skip
    (root / "dataset.json").write_text(json.dumps(described))


def planned(root: str, spec: str) -> None:
    """Plan, and print the seconds of the processor and how often a volume was opened."""
    opened = 0

    def count(event: str, args: tuple[object, ...]) -> None:
        nonlocal opened
        opened += (
            event == "open" and str(args[0]).startswith(root) and str(args[0]).endswith(".nii")
        )

    from voxbench import plan

    sys.addaudithook(count)
    plan(spec, Path(spec).with_name("out"))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{used.ru_utime + used.ru_stime:.1f} s, {opened:,} times a volume opened")


def main(count: int) -> None:
    """Plan a new corpus twice, each in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        root, spec = Path(scratch) / "data", Path(scratch) / "sweep.toml"
        corpus(root, count)
        spec.write_text(SPEC.format(root=root))
        words = [sys.executable, "-m", __spec__.name, str(root), str(spec)]
        for name in ("first", "second"):
            print(f"{count:,} volumes, {name} plan: ", end="", flush=True)
            cache = {"VOXBENCH_CACHE": str(Path(scratch) / "cache")}
            subprocess.run(words, check=True, env={**os.environ, **cache})


if __name__ == "__main__":
    if sys.argv[2:]:
        planned(*sys.argv[1:])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 9000)
