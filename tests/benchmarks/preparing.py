"""Cases a second of `voxbench prepare` beside nnU-Net's preprocessing of the same folder.

Both read, crop, normalise and resample the same cases to the same voxel size, find where the
classes lie and write what training maps; nnU-Net in processes, voxbench in threads, as many of
either. What nnU-Net does once before (fingerprint, plan) is not counted, nor what voxbench does
(the card); the hashes of files and arrays are. Sides take turns, each from an empty cache.

    nox -s preparing -- [--data FOLDER] [--jobs 2] [--rounds 3]
"""

import argparse
import contextlib
import io
import os
import re
import shutil
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from voxbench.data.prepare import prepare_each
from voxbench.paths import data_root
from voxbench_tasks.nnunet_folder import NnunetFolder

CONFIGURATION = "3d_fullres"


def main() -> None:
    """Plan once, let both prepare in turn, and print cases a second and their ratio."""
    options = _options()
    root = (options.data or data_root() / "Dataset601_ACDC").resolve()
    number = int(re.search(r"\d+", root.name)[0])
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
            os.environ[name] = str(work / name)
            (work / name).mkdir()
        (work / "nnUNet_raw" / root.name).symlink_to(root)
        spacing = plan(work, number, options.jobs)
        task = NnunetFolder(root=root, spacing_mm=spacing)
        cases = [case for part in ("train", "all", "test") for case in task.cases().get(part, ())]
        trained = [case for case in cases if case.images[0].parent.name == "imagesTr"]
        print(f"{len(trained)} cases of {root.name} to {spacing} mm, {options.jobs} at a time")
        seconds: dict[str, list[float]] = {"nnU-Net": [], "voxbench": []}
        for turn in range(options.rounds):
            shutil.rmtree(work / "nnUNet_preprocessed" / root.name / "nnUNetPlans_3d_fullres", True)
            seconds["nnU-Net"].append(_timed(lambda: preprocess(number, options.jobs)))
            os.environ["VOXBENCH_CACHE"] = str(work / f"cache-{turn}")
            work_of = prepare_each(task.card, trained, task.card.preprocessing, options.jobs)
            seconds["voxbench"].append(_timed(lambda work_of=work_of: list(work_of)))
    for side, found in seconds.items():
        told = ", ".join(f"{one:.1f}" for one in found)
        print(f"{side:9} {len(trained) / median(found):5.2f} cases a second ({told} s)")
    ratios = [a / b for a, b in zip(*seconds.values(), strict=True)]
    print(
        f"voxbench is {median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def plan(work: Path, number: int, jobs: int) -> tuple[float, float, float]:
    """What nnU-Net does before; its voxel size along R, A and S."""
    from nnunetv2.experiment_planning import plan_and_preprocess_api as nnunet
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    with contextlib.redirect_stdout(io.StringIO()):
        nnunet.extract_fingerprints([number], num_processes=jobs)
        nnunet.plan_experiments([number])
    [plans] = (work / "nnUNet_preprocessed").glob("*/nnUNetPlans.json")
    manager = PlansManager(str(plans))
    planned = manager.get_configuration(CONFIGURATION).spacing
    axes = [planned[axis] for axis in manager.transpose_backward]  # S, A, R as SimpleITK's arrays
    return tuple(round(float(mm), 4) for mm in reversed(axes))


def preprocess(number: int, jobs: int) -> None:
    """Its preprocessing of all training cases."""
    from nnunetv2.experiment_planning import plan_and_preprocess_api as nnunet

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        nnunet.preprocess([number], configurations=[CONFIGURATION], num_processes=[jobs])


def _timed(work) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
