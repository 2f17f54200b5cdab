"""Which cases of the Decathlon's hippocampus task are two crops of one scan? What leaks by it?

    python tests/benchmarks/patients.py [RESULTS]

The float images hold whole numbers times a scan's own factor, so that crops of one scan share the
factor to eight digits and others do not. Prints how many pairs of consecutive numbers share it,
how the 8-bit images (factor lost) fit in, how many test cases of the split in a folder of results
(default `results`) have such a partner in training, and where some have, from the records there,
whether they gain more from all labels than the other test cases do.
"""

import json
import os
import sys
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import nibabel as nib
import numpy as np
from voxbench_tasks.msd import Hippocampus

ROOT = Path(os.environ.get("VOXBENCH_DATA", "../shared/data")) / "Task04_Hippocampus"
TOLERANCE = 1e-7  # relative; crops of one scan agree to 1e-8
COARSE = 0.02  # of a factor, that every value may lie off a multiple of it


def factor(path):
    """The factor whose multiples a float image holds, or None for a whole-number image."""
    image = nib.load(path)
    if np.issubdtype(image.get_data_dtype(), np.integer):
        return None
    values = np.unique(np.asarray(image.dataobj, np.float64))
    values = values[values > 0]
    gaps = np.diff(values)
    smallest = gaps[gaps > 1e-6 * values[-1]].min()
    for share in range(1, 7):
        found = smallest / share
        for reach in (40, 400, 4000, 40000, np.inf):  # each fit is sharp enough for the next
            low = values[values < found * reach]
            counts = np.maximum(np.round(low / found), 1) if len(low) else None
            found = found if counts is None else low @ counts / (counts @ counts)
        if np.abs(values / found - np.round(values / found)).max() < COARSE:
            return found
    raise ValueError(f"{path}: its values are no multiples")


def evidence(factors):
    def same(first, second):
        return abs(factors[first] / factors[second] - 1) < TOLERANCE

    known = [n for n, value in factors.items() if value]
    for start, name in ((1, "2k-1, 2k"), (0, "2k, 2k+1")):
        pairs = [(n, n + 1) for n in factors if n % 2 == start and n + 1 in factors]
        both = [pair for pair in pairs if set(pair) <= set(known)]
        mixed = sum(bool(factors[a]) != bool(factors[b]) for a, b in pairs)
        print(
            f"({name}): {len(pairs)} pairs, {len(both)} of floats, "
            f"{sum(same(*pair) for pair in both)} share the factor; {mixed} of float and 8 bit"
        )
    others = [(a, b) for a, b in combinations(known, 2) if same(a, b) and (a + 1) // 2 != b // 2]
    print(f"other cases with one factor: {others}")


def leak(split):
    patient = Hippocampus(root=ROOT).patient
    train, validation = ({patient(c) for c in split[p]} for p in ("train", "validation"))
    sides = {"training": train, "validation": validation}
    where = Counter(part for c in split["test"] for part in sides if patient(c) in sides[part])
    print(f"{len(split['test'])} test cases, their other crops in: {dict(where)}")
    return [case for case in split["test"] if patient(case) in train]


def effect(folder, leaked):
    """Dice of test cases with a partner in training against the others', and how labels add."""
    scores = defaultdict(lambda: defaultdict(list))
    for path in sorted(Path(folder).rglob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["status"] == "ok" and record["arm"]["task"] == "msd-hippocampus":
            for case in record["cases"]:
                dice = [score["dice"] for score in case["classes"].values()]
                scores[len(record["data"]["train"])][case["case"]].append(np.mean(dice))
    means = {size: {c: np.mean(v) for c, v in found.items()} for size, found in scores.items()}
    *few, most = sorted(means)
    _print(f"Dice with {most} training cases", means[most], leaked)
    for size in few:
        gains = {case: means[most][case] - value for case, value in means[size].items()}
        _print(f"gain from {size} to {most}", gains, leaked)


def _print(name, values, leaked):
    groups = [np.array([v for c, v in values.items() if (c in leaked) == side]) for side in (1, 0)]
    random = np.random.default_rng(0)
    drawn = [
        np.subtract(*(random.choice(group, len(group)).mean() for group in groups))
        for _ in range(4000)
    ]
    low, high = np.percentile(drawn, (2.5, 97.5))
    difference = np.subtract(*(group.mean() for group in groups))
    print(f"{name}, leaked minus other: {difference:+.4f} [{low:+.4f}, {high:+.4f}]")


if __name__ == "__main__":
    files = sorted((ROOT / "imagesTr").glob("[!.]*.nii.gz"))
    evidence({int(file.name[:-7].rpartition("_")[2]): factor(file) for file in files})
    folder = Path(sys.argv[1] if sys.argv[1:] else "results")
    split = json.loads((folder / "splits" / "msd-hippocampus.json").read_text(encoding="utf-8"))
    if found := leak(split):
        effect(folder / "records", found)
