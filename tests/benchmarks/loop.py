"""What the training loop adds to a bare one, a step and a set-up, in one run."""

import resource
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import torch
from torch import nn
from voxbench.data.patches import Batch
from voxbench.design.recipe import Recipe
from voxbench.fit.loop import train
from voxbench.fit.loss import segmentation_loss

clock = time.perf_counter  # of wall; time.process_time on a machine that others use too
STEPS, ROUNDS = 200, 7


def network(width: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(1, width, 3, padding=1), nn.ReLU(), nn.Conv3d(width, 2, 1))


def batches(_step: int) -> Batch:
    return BATCH


RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(2, 1, 16, 16, 16)).astype(np.float32)
BATCH = Batch(IMAGES, (IMAGES[:, 0] > 0).astype(np.uint8), np.ones((2, 1), bool))


def bare(width: int) -> float:
    """Seconds of a plain loop with the same optimiser and schedule."""
    net = network(width)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0)
    started = clock()
    for step in range(STEPS):
        images, labels, labelled = (torch.from_numpy(part) for part in batches(step))
        optimiser.zero_grad()
        segmentation_loss(net(images), labels.long(), labelled).backward()
        optimiser.step()
        scheduler.step()
    return clock() - started


def ours(width: int, steps: int = STEPS) -> float:
    """Seconds of `train`, its set-up included."""
    net = network(width)
    started = clock()
    train(
        net,
        lambda images, labels, labelled: segmentation_loss(net(images), labels, labelled),
        batches,
        Recipe(steps=steps, patch=(16, 16, 16), warmup=0, schedule="constant"),
        seed=0,
        device="cpu",
    )
    return clock() - started


def main() -> None:
    torch.set_num_threads(1)
    first = ours(8, steps=1)
    setup = median(ours(8, steps=1) for _ in range(5))
    print(f"set-up of the first training {first:.3f} s, of a later one {setup:.3f} s")
    for width in (8, 64, 256):
        pairs = [(bare(width), ours(width) - setup) for _ in range(ROUNDS)]
        plain = median(pair[0] for pair in pairs) / STEPS * 1e3
        added = median(pair[1] - pair[0] for pair in pairs) / STEPS * 1e3
        print(f"bare step {plain:7.2f} ms  added {added:5.2f} ms  {added / plain:6.1%}")
    for _ in range(2):
        print(f"pages that the kernel clears a step: {faults(bare)} bare, {faults(ours)} here")


def faults(loop: Callable[[int], float]) -> int:
    """Of the widest network; both loops have the allocator's setting once `train` has run."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    loop(256)
    return round((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / STEPS)


if __name__ == "__main__":
    main()
