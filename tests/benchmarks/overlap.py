"""Do looks find altered copies of real volumes, and nothing else? Where do they stop?

    python tests/benchmarks/overlap.py [--every N]

Takes every Nth (default 12th) of the volumes below `$VOXBENCH_DATA` as queries, alters each and
looks for it among all. Scores of different volumes, and of pairs that are known to show one
person, are printed too. Prints recall a kind of alteration, false matches by data set, score
margins, seconds a volume, and the time to match 100 test volumes against a pool of 10,000.
"""

import argparse
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from voxbench.data.image import read_image
from voxbench.data.resample import resample_image
from voxbench.ledger.look import EDGE, look_of
from voxbench.ledger.pool import Pool, bar

ROOT = Path(os.environ.get("VOXBENCH_DATA", "../shared/data"))
SETS = {
    "hippocampus MR": "Task04_Hippocampus/imagesTr/[!.]*.nii.gz",
    "head-and-neck CT": "Dataset501_OpenKBP/imagesTr/[!.]*.nii.gz",
    "brain MR": "MALF_subcortical/*/t1.nii.gz",
    "lung nodule CT": "Dataset502_LIDCNodule/imagesTr/[!.]*.nii.gz",
}
MUST = {
    "flip 0": ["flip0"],
    "flip 1": ["flip1"],
    "flip 2": ["flip2"],
    "axes swapped": ["swap"],
    "coarser grid": ["coarse"],
    "window": ["window"],
    "air cropped": ["air"],
    "field cropped 10%": ["crop10"],
    "8 bit": ["bits"],
    "crop 10%, coarser, window, 8 bit, flip": ["crop10", "coarse", "window", "bits", "flip0"],
    "noise 2%": ["noise2"],
}
BEYOND = {
    "field cropped 15%": ["crop15"],
    "field cropped 20%": ["crop20"],
    "field cropped 30%": ["crop30"],
    "noise 5%": ["noise5"],
    "noise 20%": ["noise20"],
    "grid 3 × as coarse": ["coarse3"],
}
PEOPLE = [("1003", "1023"), ("1004", "1024"), ("1005", "1025"), ("1018", "1038"), ("1019", "1039")]


def alter(step, array, spacing, rng):
    low, high = np.percentile(array, (5, 95))
    if step.startswith("flip"):
        return np.flip(array, int(step[4:])), spacing
    if step == "swap":
        return array.transpose(2, 0, 1), spacing[[2, 0, 1]]
    if step.startswith("coarse"):
        factor = float(step[6:] or 1.5)
        wanted = np.maximum(2.0, factor * spacing)
        shape = np.maximum(4, np.rint(array.shape * spacing / wanted)).astype(int)
        new = resample_image(np.ascontiguousarray(array), tuple(int(n) for n in shape))
        return new, spacing * array.shape / shape
    if step == "window":
        return np.clip(array, *np.percentile(array, (20, 95))), spacing
    if step == "air":
        filled = array > low + 0.1 * (high - low)
        spans = [np.flatnonzero(filled.any(tuple({0, 1, 2} - {axis}))) for axis in range(3)]
        return array[tuple(slice(span[0], span[-1] + 1) for span in spans)], spacing
    if step.startswith("crop"):
        cuts = [round(int(step[4:]) / 100 * size) for size in array.shape]
        starts = [int(rng.integers(0, cut + 1)) for cut in cuts]
        sizes = zip(starts, array.shape, cuts, strict=True)
        return array[tuple(slice(a, a + n - cut) for a, n, cut in sizes)], spacing
    if step == "bits":
        share = (array - array.min()) / (array.max() - array.min())
        return np.rint(255 * share).astype(np.uint8).astype(np.float32), spacing
    assert step.startswith("noise"), step
    noise = rng.normal(0, int(step[5:]) / 100 * (high - low), array.shape)
    return (array + noise).astype(np.float32), spacing


def read(path):
    volume = read_image(path)
    started = time.perf_counter()
    found = look_of(volume.array, volume.affine).ranks
    return found, time.perf_counter() - started


def query(path, steps):
    volume = read_image(path)
    rng = np.random.default_rng(7)
    array = volume.array
    spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)
    for step in steps:
        array, spacing = alter(step, array, spacing, rng)
    return look_of(array, np.diag([*spacing, 1.0])).ranks


def start(looks):
    global POOL
    POOL = Pool(list(looks))


def search(job):
    path, steps, skip = job
    found = POOL.search(query(path, steps) if steps else POOL.looks[skip], skip=skip)
    return [(match.position, match.score) for match in found], bar([match.score for match in found])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=12)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    files = [(kind, p) for kind, glob in SETS.items() for p in sorted(ROOT.glob(glob))]
    if not files:
        raise SystemExit(f"{ROOT}: none of the real data sets is there; set VOXBENCH_DATA")
    paths = [path for _, path in files]
    kinds = [kind for kind, _ in files]
    print(f"{len(files)} volumes: {dict(Counter(kinds))}")
    taken = [read(path) for path in paths]
    looks = [found for found, _ in taken]
    print(f"{np.mean([seconds for _, seconds in taken]):.4f} s a look")
    names = [p.parent.name if p.name == "t1.nii.gz" else p.name.split(".")[0] for p in paths]
    chosen = list(range(0, len(files), options.every))
    with ProcessPoolExecutor(options.jobs, get_context("spawn"), start, (looks,)) as workers:
        copies(workers, paths, kinds, names, chosen)
        different(workers, paths, kinds, names)
    speed(looks)


def copies(workers, paths, kinds, names, chosen):
    wrong = []
    print(f"\naltered copies of {len(chosen)} volumes, looked for among all")
    print(f"{'alteration':40} {'found':>9} {'lowest':>7} {'median':>7} {'other − bar':>17}  by set")
    for label, steps in {**MUST, **BEYOND}.items():
        found, scores, margins, by = 0, [], [], Counter()
        jobs = [(paths[i], steps, None) for i in chosen]
        for i, (matches, needed) in zip(chosen, workers.map(search, jobs), strict=True):
            score = dict(matches).get(i, -1.0)
            scores.append(score)
            found += score >= needed
            by[kinds[i]] += score >= needed
            others = [(s, names[p]) for p, s in matches if p != i and not related(names, i, p)]
            margins.append((max(others)[0] - needed, names[i], max(others)[1]))
            wrong += [(label, *m) for m in margins[-1:] if m[0] >= 0]
        sets = ", ".join(f"{by[k]}/{sum(kinds[i] == k for i in chosen)}" for k in SETS)
        print(
            f"{label:40} {found:4}/{len(chosen):<4} {min(scores):7.3f} {np.median(scores):7.3f} "
            f"{max(margins)[0]:+17.3f}  {sets}",
            flush=True,
        )
    for label, margin, name, other in wrong:
        print(f"FALSE MATCH of a copy ({label}): {name} → {other}, {margin:+.3f} over the bar")


def related(names, a, b):
    """Known to show one person, or possibly: two scans, two nodules, two neighbouring numbers."""
    first, second = names[a], names[b]
    if {first, second} in [set(pair) for pair in PEOPLE]:
        return True
    if first.startswith("LIDC") and second.startswith("LIDC"):
        return first.split("_")[1] == second.split("_")[1]
    if first.startswith("hippocampus") and second.startswith("hippocampus"):
        return abs(int(first[-3:]) - int(second[-3:])) == 1
    return False


def different(workers, paths, kinds, names):
    print("\nevery volume against all others")
    jobs = [(path, [], index) for index, path in enumerate(paths)]
    best, matched = {kind: [] for kind in SETS}, set()
    known = {}
    for i, (matches, needed) in enumerate(workers.map(search, jobs, chunksize=8)):
        for p, score in matches:
            if related(names, i, p):
                known[tuple(sorted((names[i], names[p])))] = (score, needed)
            else:
                best[kinds[i]].append((score - needed, score, names[i], names[p]))
            if score >= needed:
                matched.add((names[i], names[p], round(score, 3), related(names, i, p)))
    for kind, rows in best.items():
        margin, score, a, b = max(rows)
        print(f"{kind:18} closest to the bar {margin:+.3f} ({a} and {b}: {score:.3f})")
    print("matches of different files: " + ("none" if not matched else ""))
    for a, b, score, same in sorted(matched):
        print(f"  {a} → {b}: {score} {'(known relation)' if same else 'FALSE OR UNKNOWN'}")
    for prefix in ("1", "LIDC", "hippocampus"):
        rows = sorted(((s, n) for n, (s, _) in known.items() if n[0].startswith(prefix)))[::-1]
        if rows:
            print(f"related pairs {prefix}…: {len(rows)} shortlisted; highest", rows[:4])


def speed(looks):
    rng = np.random.default_rng(0)
    many = [
        np.roll(looks[i % len(looks)], rng.integers(0, EDGE, 3), (0, 1, 2)) for i in range(10_000)
    ]
    started = time.perf_counter()
    pool = Pool(many)
    built = time.perf_counter() - started
    started = time.perf_counter()
    for volume in looks[:4]:
        pool.search(volume)
    each = (time.perf_counter() - started) / 4
    print(f"\n10,000 × 100 on one core: {built:.1f} s to load, {100 * each:.0f} s to match")


if __name__ == "__main__":
    main()
