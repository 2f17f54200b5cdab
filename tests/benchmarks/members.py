"""Members of a prediction against the plain one: time over their passes, memory in class volumes.

    python tests/benchmarks/members.py [CLASSES] [SIDE]

Either runs in a process of its own, on one thread, with SegResNet (tiny) in windows of 64³. Memory
is the peak above that of the forward pass of one batch of windows; seconds are the processor's,
since machines are shared.
"""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from voxbench.data.geometry import VoxelGrid
from voxbench.design.recipe import Recipe
from voxbench.model.stochastic import segmenter_of
from voxbench.plugins import find_architecture
from voxbench.predict.members import Subject, predict_members
from voxbench.predict.models import Augmented, Dropout, StochasticSegmentation
from voxbench.predict.segmentation import segment
from voxbench.predict.window import Forward

RECIPE = Recipe(patch=(64, 64, 64))
MODELS = {"tta": Augmented(), "dropout": Dropout(), "ssn": StochasticSegmentation()}
BY_CLASS = "tta by class"


@dataclass
class Prepared:
    image: np.ndarray
    grid: VoxelGrid
    outside: np.ndarray
    id: str = "case"


def prepared(side: int) -> Prepared:
    shape = (side,) * 3
    image = np.random.default_rng(0).standard_normal((1, *shape), np.float32)
    affine = tuple(map(tuple, np.eye(4)))
    grid = VoxelGrid(shape, affine, "RAS", (0, 0, 0), shape, shape, (1.0,) * 3)
    return Prepared(image, grid, np.zeros(1, np.float32))


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(way: str, classes: int, side: int, out: multiprocessing.Queue) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    name = way.partition(" ")[0]
    kind = name if name in ("dropout", "ssn") else None
    network = segmenter_of(find_architecture("segresnet").build("tiny", 1), classes, kind).eval()
    case, seconds = prepared(side), 0.0
    subject = Subject([network], case, RECIPE, "cpu", (0, 1, 2))
    segment(network, prepared(64), RECIPE, "cpu")
    with torch.inference_mode():
        windows = torch.randn(RECIPE.windows, 1, *RECIPE.patch)
        (network.distribution if kind == "ssn" else network)(windows)

    def count(sign: int) -> None:
        nonlocal seconds
        seconds += sign * time.process_time()

    if kind == "ssn":
        network.stacked = timed(network.stacked, count)
    else:
        parts = [network.backbone.encoder, network.backbone.decoder, network.head]
        parts += [network.dropout] if kind == "dropout" else []
        for part in parts:
            part.register_forward_pre_hook(lambda *_: count(-1))
            part.register_forward_hook(lambda *_: count(1))
    before, start = peak(), time.process_time()
    if way == "plain":
        segment(network, case, RECIPE, "cpu")
    else:
        predict_members(MODELS[name], subject, by_class=way == BY_CLASS)
    out.put((peak() - before, time.process_time() - start, seconds))


def timed(forward: Forward, count: Callable[[int], None]) -> Forward:
    def run(windows: torch.Tensor) -> torch.Tensor:
        count(-1)
        found = forward(windows)
        count(1)
        return found

    return run


def main() -> None:
    classes, side = (int(text) for text in sys.argv[1:] or (24, 96))
    volume = 4 * (1 + classes) * side**3
    print(f"{classes} classes, {side}³, a class volume is {volume / 2**20:.0f} MiB")
    plain = None
    for way in ("plain", "tta", BY_CLASS, "dropout", "ssn"):
        out = multiprocessing.Queue()
        process = multiprocessing.Process(target=measure, args=(way, classes, side, out))
        process.start()
        memory, seconds, forward = out.get()
        process.join()
        plain = memory if plain is None else plain
        over = (memory - plain) / volume
        print(
            f"{way}: {seconds:.1f} s, {seconds / forward - 1:.1%} over {forward:.1f} s of passes; "
            f"{over:.2f} class volumes over plain",
            flush=True,
        )


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
