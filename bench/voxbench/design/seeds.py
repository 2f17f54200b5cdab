"""Named random streams, derived from a cell's axes by name.

Each stream is the hash of its own name and the axes it depends on, so that adding an axis or a
stream changes no other. The training subset depends on the draw alone: every arm and seed
of a draw sees the same cases. Arms that share a seed share the order of patches too.
"""

import hashlib
import json

from voxbench.design.cell import Cell
from voxbench.design.recipe import Pretraining


def stream(name: str, **axes: str | int | float | None) -> int:
    """A 63-bit seed for the stream `name` under these axes, whatever their order."""
    text = json.dumps([name, sorted(axes.items())], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def streams(cell: Cell) -> dict[str, int]:
    """The seeds of one cell: subset, initialisation, order, augmentation and training.

    Those of two folds are unrelated, so that a lucky initialisation is luck of one fold alone.
    """
    fold = {} if cell.fold is None else {"fold": str(cell.fold)}
    return {
        "subset": stream("subset", draw=cell.draw, **fold),
        "initialisation": stream("initialisation", seed=cell.seed, **fold),
        "order": stream("order", draw=cell.draw, seed=cell.seed, **fold),
        "augmentation": stream("augmentation", draw=cell.draw, seed=cell.seed, **fold),
        "training": stream("training", seed=cell.seed, **fold),
    }


def pretraining_streams(schedule: Pretraining) -> dict[str, int]:
    """The seeds of one pre-training: initialisation, order, augmentation and training."""
    names = ("initialisation", "order", "augmentation", "training")
    return {name: stream(f"pretraining {name}", seed=schedule.seed) for name in names}
