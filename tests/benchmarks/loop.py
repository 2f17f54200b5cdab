"""What the training loop adds to a bare one, a step and a set-up, in one run.

By the clock, medians; and seconds of the processor, the least of all rounds, which say something on
a machine that others use too.
"""

import resource
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from voxbench.data.patches import Batch
from voxbench.design.recipe import Recipe
from voxbench.fit.loop import train
from voxbench.fit.loss import segmentation_loss

STEPS, ROUNDS = 200, 7


Seconds = NDArray[np.float64]
"""By the clock, and of the processor."""


def now() -> Seconds:
    return np.array([time.perf_counter(), time.process_time()])


def network(width: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(1, width, 3, padding=1), nn.ReLU(), nn.Conv3d(width, 2, 1))


def batches(_step: int) -> Batch:
    return BATCH


RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(2, 1, 16, 16, 16)).astype(np.float32)
BATCH = Batch(IMAGES, (IMAGES[:, 0] > 0).astype(np.uint8), np.ones((2, 1), bool))


def bare(width: int) -> Seconds:
    """Seconds of a plain loop with the same optimiser and schedule."""
    net = network(width)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0)
    started = now()
    for step in range(STEPS):
        images, labels, labelled = (torch.from_numpy(part) for part in batches(step))
        optimiser.zero_grad()
        segmentation_loss(net(images), labels.long(), labelled).backward()
        optimiser.step()
        scheduler.step()
    return now() - started


def ours(width: int, steps: int = STEPS) -> Seconds:
    """Seconds of `train`, its set-up included."""
    net = network(width)
    started = now()
    train(
        net,
        lambda images, labels, labelled: segmentation_loss(net(images), labels, labelled),
        batches,
        Recipe(steps=steps, patch=(16, 16, 16), warmup=0, schedule="constant"),
        seed=0,
        device="cpu",
    )
    return now() - started


def main() -> None:
    torch.set_num_threads(1)
    first = ours(8, steps=1)
    setups = np.array([ours(8, steps=1) for _ in range(5)])
    later = np.median(setups[:, 0])
    print(f"set-up of the first training {first[0]:.3f} s, of a later one {later:.3f} s")
    for width in (8, 64, 256):
        both = np.array([(bare(width), ours(width)) for _ in range(ROUNDS)]) / STEPS * 1e3
        plain, whole = np.moveaxis(both, 1, 0)
        shown("clock", np.median(plain[:, 0]), np.median((whole - plain)[:, 0]) - each(later))
        least = whole[:, 1].min() - plain[:, 1].min() - each(setups[:, 1].min())
        shown("CPU", plain[:, 1].min(), least)
    for _ in range(2):
        print(f"pages that the kernel clears a step: {faults(bare)} bare, {faults(ours)} here")


def each(seconds: float) -> float:
    """Milliseconds a step."""
    return seconds / STEPS * 1e3


def shown(kind: str, plain: float, added: float) -> None:
    print(f"{kind:5}  bare step {plain:6.2f} ms  added {added:5.2f} ms  {added / plain:6.1%}")


def faults(loop: Callable[[int], object]) -> int:
    """Of the widest network; both loops have the allocator's setting once `train` has run."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    loop(256)
    return round((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / STEPS)


if __name__ == "__main__":
    main()
