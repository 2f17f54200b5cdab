"""What the training loop adds to a bare one, a step and a set-up, in one run.

Both take turns, and every step is timed by itself, by the clock and in seconds of the processor.
Told is the median over turns of what one has more than the other, of medians over their steps: it
holds on a machine that others use too, or that is not always as fast.
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

STEPS, ROUNDS = 60, 20

Times = list[tuple[float, float]]
"""By the clock, and of the processor, in seconds."""


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def network(width: int) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(1, width, 3, padding=1), nn.ReLU(), nn.Conv3d(width, 2, 1))


def batches(_step: int) -> Batch:
    return BATCH


RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(2, 1, 16, 16, 16)).astype(np.float32)
BATCH = Batch(IMAGES, (IMAGES[:, 0] > 0).astype(np.uint8), np.ones((2, 1), bool))


def bare(width: int) -> Times:
    """When each step of a plain loop began, with the same optimiser and schedule."""
    net, began = network(width), []
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1.0)
    for step in range(STEPS):
        began.append(now())
        images, labels, labelled = (torch.from_numpy(part) for part in batches(step))
        optimiser.zero_grad()
        segmentation_loss(net(images), labels.long(), labelled).backward()
        optimiser.step()
        scheduler.step()
    return began


def ours(width: int, steps: int = STEPS) -> Times:
    """When each step of `train` began."""
    net, began = network(width), []
    train(
        net,
        lambda images, labels, labelled: segmentation_loss(net(images), labels, labelled),
        batches,
        Recipe(steps=steps, patch=(16, 16, 16), warmup=0, schedule="constant"),
        seed=0,
        device="cpu",
        before_step=lambda _share: began.append(now()),
    )
    return began


def main() -> None:
    torch.set_num_threads(1)
    first, *later = (set_up() for _ in range(6))
    print(f"set-up of the first training {first:.3f} s, of a later one {np.median(later):.3f} s")
    for width in (8, 64, 140):  # steps of about 2, 6 and 10 ms
        turns = np.array([[medians(bare(width)), medians(ours(width))] for _ in range(ROUNDS)])
        plain, added = turns[:, 0], turns[:, 1] - turns[:, 0]
        for column, kind in enumerate(("clock", "CPU")):
            shown(kind, np.median(plain[:, column]), np.median(added[:, column]))
    for _ in range(2):
        print(f"pages that the kernel clears a step: {faults(bare)} bare, {faults(ours)} here")


def set_up() -> float:
    """Seconds of a training of one step."""
    started = time.perf_counter()
    ours(8, steps=1)
    return time.perf_counter() - started


def medians(began: Times) -> NDArray[np.float64]:
    """Milliseconds of a step, by the clock and of the processor."""
    steps: NDArray[np.float64] = np.diff(np.array(began), axis=0) * 1e3
    return np.median(steps, axis=0)


def shown(kind: str, plain: float, added: float) -> None:
    print(f"{kind:5}  bare step {plain:6.2f} ms  added {added:5.2f} ms  {added / plain:6.1%}")


def faults(loop: Callable[[int], object]) -> int:
    """Of a wide network; both loops have the allocator's setting once `train` has run."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    loop(256)
    return round((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / STEPS)


if __name__ == "__main__":
    main()
