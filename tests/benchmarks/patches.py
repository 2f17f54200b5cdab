"""Patches of 96³ a second against the limit of a copy and against peers, as ratios in one run.

The limit is a bare strided copy of the same boxes from arrays in memory. Peers: blosc2 files
with nnU-Net's settings (blocks near the first cache, chunks near the third, zstd 8, one thread,
mapped), and MONAI's CacheDataset with RandCropByPosNegLabeld. A peer that is not installed is
left out. Rounds are interleaved; the median of each is shown.
"""

import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from scipy.ndimage import gaussian_filter
from voxbench.data import cache
from voxbench.data.augment import augment
from voxbench.data.cache import Prepared, PreparedCase
from voxbench.data.geometry import choose_grid
from voxbench.data.patches import Patches
from voxbench.design.preprocessing import Preprocessing

SHAPE = (240, 240, 200)
PATCH = (96, 96, 96)
CASES = 6
CLASSES = {"organ": 1, "lesion": 2}
COUNT = 60
ROUNDS = 5


def make_cases() -> list[PreparedCase]:
    """Cases with CT-like texture, an organ and a lesion, in the cache's own form."""
    random = np.random.default_rng(0)
    cases = []
    for index in range(CASES):
        image = gaussian_filter(random.normal(size=SHAPE).astype(np.float32), 2)
        image += 0.02 * random.normal(size=SHAPE).astype(np.float32)
        label = np.zeros(SHAPE, np.uint8)
        label[60:180, 70:170, 50:150] = 1
        label[100:120, 100:120, 80:100] = 2
        grid = choose_grid(image[None], np.eye(4), Preprocessing(crop="none"))
        stored = cache.prepared_folder() / f"case{index}"
        cache.store_case(
            stored, Prepared(image[None], label, grid, [-4.0]), list(CLASSES), None, []
        )
        cases.append(PreparedCase(f"case{index}", f"p{index}", stored))
    return cases


Box = tuple[int, tuple[slice, ...]]


class Recorder(Patches):
    """Notes which boxes it copies, so that every sampler reads the same."""

    seen: list[Box]

    def _corner(self, case, sample, random):
        corner = super()._corner(case, sample, random)
        box = tuple(slice(a, a + side) for a, side in zip(corner, self.patch, strict=True))
        self.seen.append((self.cases.index(case), box))
        return corner


def boxes(cases: list[PreparedCase]) -> list[Box]:
    """The boxes of the first patches."""
    recorder = Recorder(cases, CLASSES, PATCH, 2, 0.67, seed=0)
    recorder.seen = []
    for step in range(COUNT // 2):
        recorder.batch(step)
    return recorder.seen


def limit(cases: list[PreparedCase]) -> Callable[[int], None]:
    """A strided copy of image and label from memory into memory that is there already."""
    arrays = [(np.array(case.image[0]), np.array(case.label)) for case in cases]
    image, label = np.empty(PATCH, np.float32), np.empty(PATCH, np.uint8)
    wanted = boxes(cases)

    def copy(step: int) -> None:
        index, box = wanted[step]
        source, classes = arrays[index]
        image[...] = source[box]
        label[...] = classes[box]

    return copy


def ours(cases: list[PreparedCase]) -> Callable[[int], None]:
    """Batches of two from the cache: half the calls make two patches."""
    patches = Patches(cases, CLASSES, PATCH, 2, 0.67, seed=0)

    def sample(step: int) -> None:
        if step % 2 == 0:
            patches.batch(step // 2)

    return sample


def blosc(cases: list[PreparedCase], folder: Path) -> Callable[[int], None]:
    """Two compressed files a case, opened for every patch as nnU-Net does."""
    import blosc2

    blosc2.set_nthreads(1)
    for case in cases:
        for name, array in (("image", case.image[0]), ("label", case.label)):
            blosc2.asarray(
                np.ascontiguousarray(array),
                urlpath=str(folder / f"{case.id}-{name}.b2nd"),
                chunks=(64, 64, 64),
                blocks=(16, 16, 16) if name == "image" else (32, 32, 32),
                cparams={"codec": blosc2.Codec.ZSTD, "clevel": 8},
            )
    wanted = boxes(cases)

    def read(step: int) -> None:
        index, box = wanted[step]
        for name in ("image", "label"):
            path = str(folder / f"case{index}-{name}.b2nd")
            file = blosc2.open(path, mode="r", dparams={"nthreads": 1}, mmap_mode="r")
            np.asarray(file[box])

    return read


def monai(cases: list[PreparedCase]) -> Callable[[int], None]:
    """CacheDataset with a crop by positive and negative voxels."""
    import torch
    from monai.data import CacheDataset
    from monai.transforms import Compose, EnsureTyped, RandCropByPosNegLabeld

    torch.set_num_threads(1)
    crop = RandCropByPosNegLabeld(["image", "label"], "label", PATCH, pos=2, neg=1, num_samples=1)
    items = [{"image": np.array(case.image), "label": np.array(case.label[None])} for case in cases]
    data = CacheDataset(items, Compose([EnsureTyped(["image", "label"]), crop]), progress=False)
    return lambda step: data[step % CASES] and None


def rate(sample: Callable[[int], None], count: int) -> float:
    """Calls a second."""
    started = time.perf_counter()
    for step in range(count):
        sample(step)
    return count / (time.perf_counter() - started)


def memory_mb() -> dict[str, float]:
    """Private and mapped memory of this process."""
    status = Path("/proc/self/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in status)
    return {name: int(found[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile")}


def flatness(cases: list[PreparedCase]) -> None:
    """Private memory after 20 and after 420 batches."""
    patches = Patches(cases, CLASSES, PATCH, 2, 0.67, seed=0)
    for step in range(20):
        patches.batch(step)
    before = memory_mb()
    for step in range(20, 420):
        patches.batch(step)
    after = memory_mb()
    print(
        f"memory after 20 and 420 batches: private {before['RssAnon']:.0f} → "
        f"{after['RssAnon']:.0f} MB; mapped files (dropped when needed) {after['RssFile']:.0f} MB"
    )


def augmentation(cases: list[PreparedCase]) -> None:
    """Milliseconds a batch of two."""
    for side in (32, 96):
        patches = Patches(cases, CLASSES, (side,) * 3, 2, 0.67, seed=0)
        batches = [patches.batch(step) for step in range(40)]
        for level in ("light", "full"):
            augment(batches[0], level, 0, 0)
            started = time.perf_counter()
            for step, batch in enumerate(batches):
                augment(batch, level, 0, step)
            spent = (time.perf_counter() - started) / len(batches) * 1e3
            print(f"augmentation {level:5} of 2 × {side}³: {spent:6.1f} ms")


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VOXBENCH_CACHE"] = folder
        cases = make_cases()
        flatness(cases)
        samplers = {"strided copy (limit)": limit(cases), "voxbench": ours(cases)}
        for name, make in (
            ("blosc2 as nnU-Net", lambda: blosc(cases, Path(folder))),
            ("MONAI CacheDataset", lambda: monai(cases)),
        ):
            try:
                samplers[name] = make()
            except ImportError as missing:
                print(f"{name}: left out ({missing})")
        for sampler in samplers.values():
            rate(sampler, 6)
        rates: dict[str, list[float]] = {name: [] for name in samplers}
        for _ in range(ROUNDS):
            for name, sampler in samplers.items():
                rates[name].append(rate(sampler, COUNT if "MONAI" not in name else COUNT // 4))
        mine = median(rates["voxbench"])
        for name, values in rates.items():
            shown = f"{median(values):8.0f} patches/s   voxbench is {mine / median(values):5.2f}×"
            print(f"{name:22} {shown}")
        augmentation(cases)


if __name__ == "__main__":
    main()
