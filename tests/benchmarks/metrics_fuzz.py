"""Ten thousand random labels against surface-distance and MONAI, as exact as they are.

    python tests/benchmarks/metrics_fuzz.py [labels]

`exact` must give surface-distance's NSD to 1e-12 and its HD95; where 95% of an area fall exactly
between two distances, rounding decides which it takes, and either is right. `voxel` must give
MONAI's NSD to 1e-6 and its HD95, whose ranks it interpolates in float32, to 1e-4. Exits with 1 at
the first label that differs, after printing the seed that makes it.
"""

import sys
import warnings

import numpy as np
from metrics_cases import TimedCase
from metrics_speed import Scores, monai, surface_distance
from voxbench.metrics import ClassMetrics, evaluate

SIDES = [0.5, 0.8, 1.0, 1.5, 2.5, 0.703125, 1.37]
TOLERANCES = [0.0, 0.8, 1.0, 2.0, 2.4, 3.0, 5.0]


def random_case(seed: int) -> TimedCase:
    """Five classes of blocks, balls and noise, in a small volume of random shape and spacing."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(4, 26, 3))
    maps = [_labels(rng, shape, rng.choice([0, 0, 0.02, 0.3])) for _ in range(2)]
    if rng.random() < 0.5:  # half of the predictions resemble their reference
        maps[0] = np.roll(maps[1], rng.integers(-2, 3, 3), (0, 1, 2))
    spacing = tuple(rng.choice(SIDES, 3)) if rng.random() < 0.7 else (rng.choice(SIDES),) * 3
    classes = {f"{label}": label for label in range(1, 6)}
    return TimedCase(f"seed {seed}", *maps, classes, spacing, float(rng.choice(TOLERANCES)))


def _labels(rng: np.random.Generator, shape: tuple[int, ...], noise: float) -> np.ndarray:
    volume = np.zeros(shape, np.uint8)
    axes = np.indices(shape)
    for label in range(1, 6):
        centre, radius = [rng.uniform(0, n) for n in shape], rng.uniform(1, 8)
        away = [abs(a - c) / rng.uniform(0.5, 1.5) for a, c in zip(axes, centre, strict=True)]
        norm = np.max(away, 0) if rng.random() < 0.4 else np.sqrt(np.sum(np.square(away), 0))
        volume[norm <= radius] = label
    noisy = rng.random(shape) < noise
    volume[noisy] = rng.integers(0, 6, int(noisy.sum()))
    return volume


def compare(case: TimedCase) -> int:
    """Check the labels that both sides have; returns their number."""
    arguments = (case.prediction, case.reference, case.classes, case.spacing_mm, case.tolerance_mm)
    exact = evaluate(*arguments, exact=True, percentiles=(95 - 1e-9, 95 + 1e-9))
    default, voxel = evaluate(*arguments), evaluate(*arguments, "voxel")
    both = {name: label for name, label in case.classes.items() if not exact[name].flag}
    case = case._replace(classes=both)
    theirs, torch = surface_distance(case), monai(case)
    for name in both:
        _, nsd, hd = theirs[name]
        found = exact[name]
        if abs(found.hd95_mm - hd) > 1e-12 * hd and min(found.hd_mm.values()) <= hd * (1 + 1e-12):
            found = found._replace(hd95_mm=min(found.hd_mm.values(), key=lambda mm: abs(mm - hd)))
            ties["HD95"] += 1
        ties["NSD"] += abs(default[name].nsd - nsd) > 1e-12
        check(case, name, found, theirs, 1e-12, 1e-12)
        check(case, name, voxel[name], torch, 1e-6, 1e-4)
    return len(both)


def check(
    case: TimedCase, name: str, score: ClassMetrics, theirs: Scores, nsd: float, hd: float
) -> None:
    """Stop at a difference of more than `nsd`, or of the share `hd` of the distance."""
    dice, their_nsd, their_hd = theirs[name]
    if (
        abs(score.dice - dice) > 1e-6
        or abs(score.nsd - their_nsd) > nsd
        or abs(score.hd95_mm - their_hd) > hd * their_hd
    ):
        print(f"{case.name}, class {name}: ours {score}, theirs {theirs[name]}")
        sys.exit(1)


ties = {"NSD": 0, "HD95": 0}


def main() -> None:
    warnings.simplefilter("ignore")
    wanted, seen, seed = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, 0, 0
    while seen < wanted:
        seen += compare(random_case(seed))
        seed += 1
        print(f"{seen} of {wanted} labels", end="\r", file=sys.stderr, flush=True)
    print(f"{seen} labels in {seed} volumes: exact equals surface-distance, voxel equals MONAI;")
    print(f"{ties['HD95']} HD95 fall between two distances; {ties['NSD']} NSD need `exact`")


if __name__ == "__main__":
    main()
