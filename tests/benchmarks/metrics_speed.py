"""Our metrics against the field's, on the same label maps in one run: seconds, ratios, memory.

    python tests/benchmarks/metrics_speed.py ["25 classes" "flips" …] [--quick]

`--quick` leaves MONAI out, which takes most of the time. Peers that are not installed are left out
with a line that says so. The largest differences from each peer are printed beside its ratio.
"""

import ctypes
import importlib.util
import multiprocessing
import resource
import sys
import threading
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import numpy as np
from metrics_cases import TimedCase, make, names
from voxbench.metrics import evaluate

Scores = dict[str, tuple[float, float, float]]


def ours(case: TimedCase, definition: str = "surface") -> Scores:
    found = evaluate(
        case.prediction, case.reference, case.classes, case.spacing_mm, case.tolerance_mm,
        definition,
    )  # fmt: skip
    return {name: (s.dice, s.nsd, s.hd95_mm) for name, s in found.items()}


def surface_distance(case: TimedCase) -> Scores:
    import surface_distance as sd

    scores = {}
    for name, label in case.classes.items():
        p, r = case.prediction == label, case.reference == label
        surfaces = sd.compute_surface_distances(r, p, case.spacing_mm)
        scores[name] = (
            sd.compute_dice_coefficient(r, p),
            sd.compute_surface_dice_at_tolerance(surfaces, case.tolerance_mm),
            sd.compute_robust_hausdorff(surfaces, 95),
        )
    return scores


def monai(case: TimedCase) -> Scores:
    import torch
    from monai.metrics import compute_dice, compute_hausdorff_distance, compute_surface_dice

    scores = {}
    maps = [torch.from_numpy(v)[None, None] for v in (case.prediction, case.reference)]
    for name, label in case.classes.items():
        pair = [v == label for v in maps]
        options = {"include_background": True, "spacing": case.spacing_mm}
        scores[name] = (
            compute_dice(*pair, include_background=True).item(),
            compute_surface_dice(*pair, [case.tolerance_mm], **options).item(),
            compute_hausdorff_distance(*pair, percentile=95, **options).item(),
        )
    return scores


def nnunet_dice(case: TimedCase) -> Scores:
    from nnunetv2.evaluation.evaluate_predictions import (
        compute_tp_fp_fn_tn,
        region_or_label_to_mask,
    )

    scores = {}
    for name, label in case.classes.items():
        pair = [region_or_label_to_mask(v, label) for v in (case.reference, case.prediction)]
        tp, fp, fn, _ = compute_tp_fp_fn_tn(*pair)
        scores[name] = (2 * tp / max(1, 2 * tp + fp + fn), np.nan, np.nan)
    return scores


PEERS: dict[str, tuple[str, Callable[[TimedCase], Scores], str]] = {
    "surface-distance": ("surface_distance", surface_distance, "surface"),
    "MONAI": ("monai", monai, "voxel"),
    "nnU-Net, Dice alone": ("nnunetv2", nnunet_dice, "surface"),
}


def timed(function: Callable[[], Scores], runs: int) -> tuple[list[float], Scores]:
    seconds, scores = [], {}
    for _ in range(runs):
        started = time.perf_counter()
        scores = function()
        seconds.append(time.perf_counter() - started)
    return seconds, scores


def peak_mb(case: TimedCase) -> float:
    """How far `ours` raises the memory of a new process above the inputs, in MB."""
    parent, child = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_watched, args=(case, child))
    process.start()
    megabytes = float(parent.recv())
    process.join()
    return megabytes


def _watched(case: TimedCase, pipe: Connection) -> None:
    ours(case._replace(prediction=case.reference[:20], reference=case.reference[:20]))  # compiles
    case.prediction.max(), case.reference.max()  # the inputs are in memory
    ctypes.CDLL(None).malloc_trim(0)  # what earlier cases freed is not
    before = resident_kb()
    seen, done = [before], threading.Event()

    def watch() -> None:
        while not done.wait(0.0005):
            seen.append(resident_kb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    ours(case)
    done.set()
    watcher.join()
    pipe.send((max(seen) - before) / 1000)


def resident_kb() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1000


def difference(one: Scores, other: Scores, column: int) -> float:
    pairs = [(one[name][column], other[name][column]) for name in one]
    return max((abs(a - b) for a, b in pairs if not np.isnan(b)), default=np.nan)


def report(case: TimedCase, quick: bool) -> None:
    definitions = ("surface", "voxel")
    memory = peak_mb(case)  # first: threads and forks do not mix
    for definition in definitions:
        ours(case, definition)  # compiled and warm
    seconds: dict[str, list[float]] = {}
    scores: dict[str, Scores] = {}
    for definition in definitions:
        seconds[definition], scores[definition] = timed(lambda d=definition: ours(case, d), 5)
    rows = []
    for peer, (module, function, definition) in PEERS.items():
        if importlib.util.find_spec(module) is None:
            rows.append(f"  {peer:22} not installed")
            continue
        if quick and peer == "MONAI":
            continue
        theirs, found = timed(lambda f=function: f(case), 1)
        if theirs[0] < 3:
            theirs += timed(lambda f=function: f(case), 2)[0]
        for other in definitions:  # once more, after the peer: the machine may have changed
            seconds[other] += timed(lambda d=other: ours(case, d), 3)[0]
        apart = [difference(scores[definition], found, column) for column in range(3)]
        ratio = median(theirs) / median(seconds[definition])
        rows.append(
            f"  {peer:22} {median(theirs):8.3f} s   {ratio:7.1f}x"
            f" {definition:8} differs by {apart[0]:.1e} {apart[1]:.1e} {apart[2]:.1e}"
        )
    print(
        f"{case.name} {case.reference.shape}: surface {median(seconds['surface']):.3f} s,"
        f" voxel {median(seconds['voxel']):.3f} s, {memory:.0f} MB above the inputs"
    )
    print("\n".join(rows), flush=True)


def main() -> None:
    wanted = [name for name in sys.argv[1:] if not name.startswith("--")]
    warnings.simplefilter("ignore")  # peers call what numpy and scipy have deprecated
    print("seconds: medians; differences: Dice, NSD, HD95 in mm")
    for name in wanted or names():
        report(make(name), quick="--quick" in sys.argv)


if __name__ == "__main__":
    main()
