"""Makes the weights of a baseline that is pre-trained here: once, cached, and accounted for."""

import dataclasses
import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save

from bench.api import Case, Preprocessing, Pretrained, Task
from bench.data.augment import augment, mirror_axes
from bench.data.fingerprint import fingerprint
from bench.data.patches import Batch, Patches
from bench.data.prepare import PreparedCase, prepare
from bench.data.split import split_cases
from bench.design.cell import digest
from bench.design.recipe import Pretraining
from bench.design.seeds import stream
from bench.errors import DataError
from bench.files import write_atomically
from bench.fit.loop import Training, train
from bench.model.backbones import Backbone
from bench.places import cache_dir
from bench.pretrain import VERSION
from bench.pretrain.lock import alone

FOREGROUND = 2 / 3  # patches centred on a structure, where labels are used (SuPreM's 2:1)


class Made(NamedTuple):
    """Pre-trained weights and what they cost.

    Attributes:
        path: safetensors of the backbone's state dict.
        sha256: of that file.
        volumes: cases that were used.
        masks: annotated structures in them; 0 where labels were not used.
        gpu_hours: on an accelerator.
        cpu_hours: seconds times threads where there was none.
        seconds: of training.
        losses: step → mean loss.
    """

    path: Path
    sha256: str
    volumes: int
    masks: int
    gpu_hours: float
    cpu_hours: float
    seconds: float
    losses: dict[int, float]


def make(
    baseline: Pretrained,
    source: Task,
    pretraining: Pretraining,
    *,
    device: str = "cpu",
    threads: int = 1,
    checkpoint_seconds: float = 60.0,
) -> Made:
    """Pre-train a baseline on the training cases of a source, or find that done.

    One process does the work, others that ask for the same weights wait for it; killed, it is
    continued by the next that asks.

    Args:
        baseline: whose backbone and objective.
        source: task that gives images and labels; its validation and test cases are not used.
        pretraining: steps, patch, seed.
        device: "cpu" or "cuda:N".
        threads: that this process computes with, for the cost.
        checkpoint_seconds: wall clock between checkpoints.

    Raises:
        DataError: the source lacks the volumes that are asked for.
        SpecError: the network can't take the patch.
    """
    cases = volumes(baseline, source, pretraining.seed)
    name = identity(baseline, source, pretraining)
    folder = cache_dir() / "weights" / name
    with alone(folder):
        if found := _found(folder):
            return found
        network, training, prepared = _train(
            baseline,
            source,
            cases,
            pretraining,
            device,
            folder / "checkpoint.ckpt",
            checkpoint_seconds,
        )
        hours = training.seconds / 3600
        accelerated = device.startswith("cuda")
        facts = {
            "volumes": len(cases),
            "masks": sum(len(case.present) for case in prepared) if baseline.needs_labels else 0,
            "gpu_hours": hours if accelerated else 0.0,
            "cpu_hours": 0.0 if accelerated else hours * threads,
            "seconds": training.seconds,
            "losses": training.losses,
        }
        return _store(folder, network, facts)


def identity(baseline: Pretrained, source: Task, pretraining: Pretraining) -> str:
    """Name of the weights: a hash over all that decides them, and no path.

    Raises:
        DataError: the source lacks the volumes that are asked for, or their files.
    """
    card = source.card
    fields = dataclasses.asdict(baseline)
    for name in ("source", "volumes"):  # their content enters as the fingerprint of the cases
        del fields[name]
    return digest(
        {
            "version": VERSION,
            "baseline": [baseline.card.name, fields],
            "channels": len(card.channels),
            "classes": list(card.classes.items()),
            "preprocessing": _preprocessing(baseline, source).model_dump(mode="json"),
            "data": fingerprint(volumes(baseline, source, pretraining.seed)),
            "pretraining": pretraining.model_dump(mode="json"),
        }
    )[:20]


def volumes(baseline: Pretrained, source: Task, seed: int) -> tuple[Case, ...]:
    """The first `baseline.volumes` training cases of the source, sorted by id.

    Patients are put in one random order a seed and their cases follow one another, so that
    fewer volumes are always a subset of more.

    Raises:
        DataError: there are fewer.
    """
    train = split_cases(source).train
    count = len(train) if baseline.volumes is None else baseline.volumes
    if not 0 < count <= len(train):
        raise DataError(
            f"{baseline.card.name}: volumes = {count}, but source {source.card.name!r} has "
            f"{len(train)} training cases; ask for 1 to {len(train)}."
        )
    patients = sorted({case.patient for case in train})
    random.Random(stream("volumes", seed=seed)).shuffle(patients)  # noqa: S311 (no secret)
    order = {patient: place for place, patient in enumerate(patients)}
    ordered = sorted(train, key=lambda case: (order[case.patient], case.id))
    return tuple(sorted(ordered[:count], key=lambda case: case.id))


def _preprocessing(baseline: Pretrained, source: Task) -> Preprocessing:
    return baseline.card.contract or source.card.preprocessing


def _train(
    baseline: Pretrained,
    source: Task,
    cases: Sequence[Case],
    pretraining: Pretraining,
    device: str,
    checkpoint: Path,
    checkpoint_seconds: float,
) -> tuple[Backbone, Training, list[PreparedCase]]:
    card, preprocessing = source.card, _preprocessing(baseline, source)
    prepared = list(prepare(source, cases, preprocessing).values())
    seeds = {
        name: stream(f"pretraining {name}", seed=pretraining.seed)
        for name in ("initialisation", "order", "augmentation", "training")
    }
    torch.manual_seed(seeds["initialisation"])
    network = baseline.backbone(len(card.channels))
    network.check_patch(pretraining.patch)
    objective = baseline.objective(network, card).to(device)
    if pretraining.channels_last:
        objective.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    forward = torch.compile(objective) if pretraining.compile else objective
    share = FOREGROUND if baseline.needs_labels else 0.0
    size, patch = pretraining.batch, pretraining.patch
    patches = Patches(prepared, card.classes, patch, size, share, seeds["order"])
    mirrors = mirror_axes(card.classes, preprocessing.axes)

    def batch(step: int) -> Batch:
        level = pretraining.augmentation
        return augment(patches.batch(step), level, seeds["augmentation"], step, mirrors)

    training = train(
        objective,
        lambda tensors: forward(*tensors),
        batch,
        pretraining,
        seed=seeds["training"],
        device=device,
        checkpoint=checkpoint,
        checkpoint_seconds=checkpoint_seconds,
    )
    return network, training, prepared


def _found(folder: Path) -> Made | None:
    """Weights that are finished and whole, or None."""
    try:
        facts = json.loads((folder / "made.json").read_text(encoding="utf-8"))
        content = (folder / "weights.safetensors").read_bytes()
    except (OSError, ValueError):
        return None
    if hashlib.sha256(content).hexdigest() != facts["sha256"]:
        return None
    return _made(folder, facts)


def _store(folder: Path, network: Backbone, facts: dict[str, Any]) -> Made:
    """Write the weights, then the card that says they are finished."""
    state = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    content = save(state)
    write_atomically(folder / "weights.safetensors", content)
    facts["sha256"] = hashlib.sha256(content).hexdigest()
    write_atomically(folder / "made.json", json.dumps(facts, indent=1))
    return _made(folder, facts)


def _made(folder: Path, facts: dict[str, Any]) -> Made:
    losses = {int(step): loss for step, loss in facts["losses"].items()}
    return Made(**{**facts, "losses": losses}, path=folder / "weights.safetensors")
