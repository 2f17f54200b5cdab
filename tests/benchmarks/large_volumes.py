"""Prediction of a large volume with many classes, block by block against all logits at once.

    python tests/benchmarks/large_volumes.py [CLASSES] [D H W] [NATIVE D H W]

Either way runs in a process of its own, on one thread, with the same STU-Net (small). Memory is the
peak above that of the forward pass of one batch of windows; seconds are the processor's, since
machines are shared, and are told beside those of backbone and head. Where all logits take more than
4 GiB that way is left out, and the backbone is one convolution of 32 features, since the memory is
what is asked for.
"""

import math
import multiprocessing
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2]))

from voxbench.data.geometry import VoxelGrid, uncropped
from voxbench.data.resample import resample_argmax, taps_between
from voxbench.design.recipe import Recipe
from voxbench.model.segmenter import Segmenter
from voxbench.plugins import find_architecture
from voxbench.predict.segmentation import segment

from tests.predict.whole import whole_logits

PATCH = (96, 96, 96)
ARCHITECTURE, SIZE = "stunet", "small"


class Timer:
    """Seconds of the processor within a network's backbone and head."""

    def __init__(self, network: Segmenter) -> None:
        self.seconds = 0.0
        for part in (network.backbone, network.head):
            part.register_forward_pre_hook(lambda *_: self._count(-1))
            part.register_forward_hook(lambda *_: self._count(1))

    def _count(self, sign: int) -> None:
        self.seconds += sign * time.process_time()


class Convolution(nn.Conv3d):
    """A backbone of one layer."""

    def __init__(self) -> None:
        super().__init__(1, 32, 3, padding=1)


def is_large(classes: int, shape: tuple[int, ...]) -> bool:
    return 4 * (1 + classes) * math.prod(shape) > 2**32


@dataclass
class Prepared:
    """A volume of smooth noise, which is mapped from a file as a prepared case is."""

    image: np.ndarray
    grid: VoxelGrid
    outside: np.ndarray


def prepared(shape: tuple[int, ...], native: tuple[int, ...]) -> Prepared:
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.normal(size=(1, 1, *(n // 24 for n in shape))).astype(np.float32))
    image = nn.functional.interpolate(coarse, size=shape, mode="trilinear")[0].numpy()
    grid = VoxelGrid(
        native, tuple(map(tuple, np.eye(4))), "RAS", (0, 0, 0), native, shape, (1.0,) * 3
    )
    return Prepared(image, grid, np.zeros(1, np.float32))


def whole(network: nn.Module, case: Prepared, recipe: Recipe) -> np.ndarray:
    laid = recipe.patch, recipe.overlap, recipe.windows
    logits = whole_logits(network, case.image, case.outside, *laid)
    taps = taps_between(logits.shape[1:], case.grid.cropped)
    return uncropped(resample_argmax(logits, taps), case.grid)


def blocks(network: nn.Module, case: Prepared, recipe: Recipe) -> np.ndarray:
    return segment(network, case, recipe, "cpu")


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure(way: str, classes: int, shape: tuple[int, ...], native: tuple[int, ...], out) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    large = is_large(classes, shape)
    backbone = Convolution() if large else find_architecture(ARCHITECTURE).build(SIZE, 1)
    network, case, recipe = (
        Segmenter(backbone, classes).eval(),
        prepared(shape, native),
        Recipe(patch=PATCH),
    )
    resample_argmax(np.zeros((2, 2, 2, 2), np.float32), taps_between((2,) * 3, (3,) * 3))
    with torch.inference_mode():
        network(torch.randn(recipe.windows, 1, *PATCH))
    timer, before = Timer(network), peak()
    start = time.process_time()
    label = {"whole": whole, "blocks": blocks}[way](network, case, recipe)
    seconds = time.process_time() - start
    out.put((peak() - before, seconds, timer.seconds, label.tobytes()))


def main() -> None:
    sizes = [int(text) for text in sys.argv[1:]] or [24, 192, 192, 192]
    shape = tuple(sizes[1:4])
    native = tuple(sizes[4:7]) or shape
    print(f"{sizes[0]} classes, {shape}, native {native}, windows {PATCH}")
    labels = []
    large = is_large(sizes[0], shape)
    for way in ("blocks",) if large else ("whole", "blocks"):
        out = multiprocessing.Queue()
        process = multiprocessing.Process(target=measure, args=(way, sizes[0], shape, native, out))
        process.start()
        memory, seconds, forward, label = out.get()
        process.join()
        over = seconds / forward - 1
        print(f"{way}: +{memory:.2f} GiB, {seconds:.1f} s, {over:.1%} over {forward:.1f} s forward")
        labels.append(label)
    if not large:
        print(f"label maps {'equal' if labels[0] == labels[1] else 'DIFFER'}")


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
