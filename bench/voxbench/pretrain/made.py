"""Weights that were made here, in the cache: a folder that is finished once its card is there."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from voxbench.errors import WeightsError
from voxbench.files import write_atomically
from voxbench.pretrain.plan import CARD

_WEIGHTS, _HEAD = "weights.safetensors", "head.safetensors"


class TrainingCost(NamedTuple):
    """What making weights took.

    Attributes:
        volumes: cases that were used.
        masks: annotated structures in them; 0 where labels were not used.
        gpu_hours: on an accelerator.
        cpu_hours: seconds times threads where there was none.
        seconds: of training.
        losses: step → mean loss since the entry before.
        terms: what the loss tells of its terms and of the trivial values that they must beat
            → step → mean; none of weights that were made before terms were kept.
    """

    volumes: int
    masks: int
    gpu_hours: float
    cpu_hours: float
    seconds: float
    losses: dict[int, float]
    terms: dict[str, dict[int, float]]

    @property
    def last_terms(self) -> dict[str, float]:
        """What the loss told of its terms in the last steps."""
        return {name: steps[max(steps)] for name, steps in self.terms.items()}


class Made(NamedTuple):
    """Pre-trained weights.

    Attributes:
        path: safetensors of the backbone's state dict.
        sha256: of that file.
        head: safetensors of what the objective trained beside; None where it is not trained here
            or was not kept.
        cost: what it took.
    """

    path: Path
    sha256: str
    head: Path | None
    cost: TrainingCost


def find_made(folder: Path) -> Made | None:
    """Weights that are finished and whole, or None."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        content = (folder / _WEIGHTS).read_bytes()
    except (OSError, ValueError):
        return None
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != card.pop("sha256"):
        return None
    terms = {name: _curve(steps) for name, steps in card.get("terms", {}).items()}
    curves = {"losses": _curve(card["losses"]), "terms": terms}
    return _made(folder, sha256, TrainingCost(**{**card, **curves}))


def store_made(folder: Path, tensors: Mapping[str, Tensor], cost: TrainingCost) -> Made:
    """Write the weights, then the card that says they are finished."""
    sha256 = _write(folder / _WEIGHTS, tensors)
    card = {**cost._asdict(), "sha256": sha256}
    write_atomically(folder / CARD, json.dumps(card, indent=1))
    return _made(folder, sha256, cost)


def store_head(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write what an objective trained beside the backbone."""
    _write(folder / _HEAD, tensors)


def read_head(made: Made) -> dict[str, Tensor]:
    """What an objective trained beside the backbone, by the names that the objective gives it.

    Raises:
        WeightsError: it was not kept, or is damaged.
    """
    if made.head is None:
        raise WeightsError(
            f"{made.path}: the head that was trained with these weights was not kept; delete the "
            "folder to have both made again."
        )
    try:
        return load_file(made.head)
    except SafetensorError as error:
        raise WeightsError(
            f"{made.head}: damaged ({error}); delete its folder to have it made again."
        ) from None


def _curve(told: Mapping[str, float]) -> dict[int, float]:
    return {int(step): value for step, value in told.items()}


def _made(folder: Path, sha256: str, cost: TrainingCost) -> Made:
    head = folder / _HEAD
    return Made(folder / _WEIGHTS, sha256, head if head.is_file() else None, cost)


def _write(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Write tensors; the file's sha256."""
    content = save({name: t.detach().cpu().contiguous() for name, t in tensors.items()})
    write_atomically(path, content)
    return hashlib.sha256(content).hexdigest()
