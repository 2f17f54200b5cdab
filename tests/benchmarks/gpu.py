"""What a GPU does with voxbench: speed, waiting for data, sharing, and the Dice of bf16.

`python tests/benchmarks/gpu.py` is sized for less than 8 minutes on one card, prints a table, and
writes it as JSON with `--json FILE`. `--tiny --device cpu` rehearses the script on small volumes.
Metrics are computed on the processor: beside them stands the least that any other way would take,
the copies and a Dice without distances on the device.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from metrics_cases import Labels, err, organs
from voxbench.data.batches import augmented_batches
from voxbench.data.cache import PreparedCase
from voxbench.data.dataset import open_dataset
from voxbench.data.patches import Batch
from voxbench.data.prepare import prepare_cases
from voxbench.design.cell import Ref
from voxbench.design.recipe import Recipe
from voxbench.design.spec import Sweep
from voxbench.design.sweep_file import parse_sweep
from voxbench.fit.loop import accelerated, train
from voxbench.fit.loss import mean_counts, segmentation_loss
from voxbench.fit.share import WHOLE, Share
from voxbench.metrics import evaluate
from voxbench.model.segmenter import Segmenter
from voxbench.plugins import find_baseline, find_task
from voxbench.records import Store
from voxbench.running.bind import bind
from voxbench.running.jobs import CellJob
from voxbench.running.options import Options
from voxbench.running.perform import perform
from voxbench.running.sweep import run_sweep
from voxbench.running.worker import Worker

TASK = "phantom-atlas"


class Size(NamedTuple):
    """How much is measured; a limit is one of the steps and test cases of a cell."""

    sides: tuple[int, ...]
    steps: int
    network: str
    cells: int
    scored: tuple[int, int, int]
    limit: int | None = None


FULL = Size((96, 128), steps=40, network="base", cells=8, scored=(512, 512, 256))
TINY = Size((16, 24), steps=3, network="tiny", cells=2, scored=(48, 48, 24), limit=2)
CLASSES = {f"organ {label}": label for label in range(1, 26)}


class Figure(NamedTuple):
    """One row of the table."""

    what: str
    value: float
    unit: str


class Trained(NamedTuple):
    """What a training took: seconds a step after the first ones, and GiB."""

    seconds: float
    memory: float


def training(size: Size, side: int, device: str, *, still: bool = False, **keys: Any) -> Trained:
    """Train on batches of two.

    Args:
        size: of the measurement.
        side: voxels of a patch.
        device: "cpu" or "cuda:N".
        still: the same batch at every step, so that nothing is waited for.
        keys: of the recipe.
    """
    warm = max(1, size.steps // 4)
    recipe = Recipe.model_validate(
        {"steps": warm + size.steps, "patch": (side,) * 3, "precision": "bf16", **keys}
    )
    network = Segmenter(find_baseline(Ref.of("scratch", {"size": size.network})).backbone(1), 3)
    forward = accelerated(network.to(device), recipe)
    batches = _batches(recipe)
    first, begun = batches(0), [0.0]

    def loss(images, labels, labelled, share: Share = WHOLE):
        labelled = labelled[:, :3]
        return segmentation_loss(
            forward(images), labels.clamp(max=3), labelled, counts=share.counts
        )

    def look(progress: float) -> None:
        if round(progress * recipe.steps) == warm:
            _wait(device)
            begun[0] = time.perf_counter()

    def same(_step: int) -> Batch:
        return first

    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
    found = train(
        network, loss, same if still else batches, recipe,
        seed=0, device=device, before_step=look, counts=lambda a, b: mean_counts(a, b[:, :3]),
    )  # fmt: skip
    _wait(device)
    return Trained((time.perf_counter() - begun[0]) / size.steps, found.peak_memory_mb / 1024)


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def _batches(recipe: Recipe) -> Callable[..., Batch]:
    dataset = open_dataset(find_task(TASK))
    cases: list[PreparedCase] = list(
        prepare_cases(dataset.card, dataset.split.train, dataset.card.preprocessing).values()
    )
    seeds = {"order": 0, "augmentation": 0}
    return augmented_batches(
        cases, dataset.card.parts, (1, 2), recipe, foreground=recipe.foreground, seeds=seeds
    )


def speed(size: Size, device: str) -> Iterator[Figure]:
    """Steps and patches a second, and what share of a step data are waited for."""
    for side in size.sides:
        told = f"{side}³, batch of 2, bf16"
        plain = training(size, side, device)
        still = training(size, side, device, still=True)
        yield Figure(f"{told}: steps", 1 / plain.seconds, "1/s")
        yield Figure(f"{told}: patches", 2 / plain.seconds, "1/s")
        yield Figure(
            f"{told}: waits for data", max(0.0, 1 - still.seconds / plain.seconds), "share"
        )
        yield Figure(f"{told}: memory", plain.memory, "GiB")


def variants(size: Size, device: str) -> Iterator[Figure]:
    """Micro-batches, compilation and memory layout beside the plain way."""
    side = size.sides[0]
    whole = training(size, side, device, still=True, batch=4)
    for name, keys in {
        "micro-batches of 1": {"micro_batch": 1},
        "compiled": {"compile": True},
        "channels last": {"channels_last": True},
    }.items():
        if device == "cpu" and name == "compiled":
            continue
        found = training(size, side, device, still=True, batch=4, **keys)
        told = f"{side}³, batch of 4, {name}"
        yield Figure(f"{told}: time of the plain step", found.seconds / whole.seconds, "×")
        yield Figure(f"{told}: memory of the plain step", found.memory / whole.memory, "×")


def agreement(size: Size, device: str, folder: Path) -> Iterator[Figure]:
    """Dice of a cell in bf16 on the device beside the same in 32 bits on the processor."""
    for where, precision in (("cpu", "32"), (device, "bf16")):
        (cell,) = bind(_sweep(seeds=1, precision=precision), size.limit)
        worker = Worker(folder / precision, "gpu", where, os.cpu_count() or 1)
        outcome = perform(CellJob(cell), worker)
        if outcome.failure or not outcome.record:
            raise SystemExit(outcome.failure)
        dice = [s.dice for case in outcome.record.cases for s in case.classes.values()]
        place = "processor" if where == "cpu" else "device"
        yield Figure(f"Dice of a cell in {precision} on the {place}", float(np.nanmean(dice)), "")


def sharing(size: Size, folder: Path) -> Iterator[Figure]:
    """A sweep by one worker and by two on the same card."""
    seconds = {}
    for workers in (1, 2):
        root, started = folder / f"workers-{workers}", time.perf_counter()
        options = Options(jobs=workers, limit=size.limit, isolated=True)
        run_sweep(_sweep(seeds=size.cells, precision="bf16"), root, options)
        seconds[workers] = time.perf_counter() - started
        if failed := [record.failure for record in Store(root) if record.failure]:
            raise SystemExit(failed[0])
        told = f"sweep of {size.cells} cells, {workers} worker{'s' * (workers > 1)}"
        yield Figure(told, seconds[workers], "s")
    yield Figure("two workers on one card", seconds[1] / seconds[2], "× as fast")


def metrics(size: Size, device: str) -> Iterator[Figure]:
    """All metrics by the kernel, and the Dice alone on the device, for label maps in memory."""
    reference = organs(size.scored, len(CLASSES), seed=0)
    prediction = err(reference, seed=1)

    def kernel() -> list[float]:
        found = evaluate(prediction, reference, CLASSES, (1.5, 1.5, 2.0), 2.0)
        return [score.dice for score in found.values()]

    def there() -> list[float]:
        return dice_on(device, prediction, reference)

    if not np.allclose(kernel(), there(), rtol=0, atol=1e-12, equal_nan=True):
        raise SystemExit("the Dice of the device is not that of the kernel")
    told = f"{len(CLASSES)} classes, {' × '.join(map(str, size.scored))}"
    yield Figure(f"{told}: Dice, NSD, HD95 by the kernel", _seconds(kernel), "s")
    yield Figure(f"{told}: Dice on the device, copied", _seconds(there), "s")


def dice_on(device: str, *maps: Labels) -> list[float]:
    """The Dice of every class, by counting pairs of labels on the device."""
    count = len(CLASSES) + 1
    first, second = (torch.from_numpy(one).to(device).long() for one in maps)
    pairs = torch.bincount((first * count + second).flatten(), minlength=count**2)
    pairs = pairs.view(count, count).double()
    dice: list[float] = (2 * pairs.diagonal() / (pairs.sum(0) + pairs.sum(1)))[1:].tolist()
    return dice


def _seconds(work: Callable[[], object]) -> float:
    took = []
    for _ in range(5):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return median(took)


def _sweep(*, seeds: int, precision: str) -> Sweep:
    recipe = {"steps": 200, "patch": [32, 32, 32], "precision": precision}
    return parse_sweep(
        {
            "name": "gpu",
            "tasks": [TASK],
            "baselines": [{"name": "scratch", "size": "tiny"}],
            "fractions": ["100%"],
            "seeds": seeds,
            "recipe": {**recipe, "learning_rate": 0.005, "augmentation": "light"},
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda:0", choices=["cuda:0", "cpu"])
    parser.add_argument("--tiny", action="store_true", help="rehearse on small volumes")
    parser.add_argument("--json", type=Path, help="file for the figures")
    chosen = parser.parse_args()
    if chosen.device != "cpu" and not torch.cuda.is_available():
        print("no GPU here: nothing was measured (--tiny --device cpu rehearses the script)")
        return
    size, started = TINY if chosen.tiny else FULL, time.perf_counter()
    name = (
        torch.cuda.get_device_name()
        if chosen.device != "cpu"
        else f"processor ({platform.machine()})"
    )
    print(f"{name}, torch {torch.__version__}", flush=True)
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for part in (
            agreement(size, chosen.device, Path(folder)),
            speed(size, chosen.device),
            variants(size, chosen.device),
            metrics(size, chosen.device),
            sharing(size, Path(folder)),
        ):
            for figure in part:
                print(f"{figure.what:55} {figure.value:10.3f} {figure.unit}", flush=True)
                figures.append(figure._asdict())
    seconds = time.perf_counter() - started
    print(f"all of it took {seconds:.0f} s")
    if chosen.json:
        told = {"device": name, "torch": torch.__version__, "seconds": seconds, "figures": figures}
        chosen.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
