"""Makes the weights of a baseline that is pre-trained here: once, cached, and accounted for."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save
from torch import Tensor

from voxbench.api import Case, Preprocessing, Pretrained, Task
from voxbench.api.fields import identifying
from voxbench.data.augment import augment, mirror_axes
from voxbench.data.cache import PreparedCase
from voxbench.data.content_hash import cases_hash
from voxbench.data.patches import Batch, Patches
from voxbench.data.prepare import prepare_cases
from voxbench.design.cell import Ref, digest
from voxbench.design.recipe import Pretraining
from voxbench.design.seeds import stream
from voxbench.errors import SpecError
from voxbench.files import write_atomically
from voxbench.fit.loop import train
from voxbench.locks import locked
from voxbench.model.backbones import Backbone
from voxbench.model.weights import read_weights
from voxbench.paths import cache_dir
from voxbench.plugins import BASELINES, find_baseline
from voxbench.pretrain import VERSION
from voxbench.pretrain.head import head_of
from voxbench.pretrain.volumes import volumes
from voxbench.records.cost import compute_hours

_HEAD = "head.safetensors"
FOREGROUND = 2 / 3  # patches centred on a structure, where labels are used (SuPreM's 2:1)


class Made(NamedTuple):
    """Pre-trained weights and what they cost.

    Attributes:
        path: safetensors of the backbone's state dict.
        sha256: of that file.
        head: safetensors of what the objective trained beside; None where it is not trained here
            or was not kept.
        volumes: cases that were used.
        masks: annotated structures in them; 0 where labels were not used.
        gpu_hours: on an accelerator.
        cpu_hours: seconds times threads where there was none.
        seconds: of training.
        losses: step → mean loss.
    """

    path: Path
    sha256: str
    head: Path | None
    volumes: int
    masks: int
    gpu_hours: float
    cpu_hours: float
    seconds: float
    losses: dict[int, float]


class _Where(NamedTuple):
    """The machine's part of a pre-training."""

    device: str
    threads: int
    checkpoint_seconds: float


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
    with locked(folder):
        if found := _found(folder):
            return found
        where = _Where(device, threads, checkpoint_seconds)
        if parent := donor(baseline):
            tensors, facts = _given(parent, source, pretraining, where)
        else:
            tensors, facts = _trained(baseline, source, cases, pretraining, folder, where)
        finished = baseline.finish(tensors, source.card, pretraining.seed)
        return _store(folder, finished, facts)


def donor(baseline: Pretrained) -> Pretrained | None:
    """The baseline whose weights this one changes, or None if it is trained itself.

    Raises:
        SpecError: the donor is not pre-trained here.
        PluginError: there is no such baseline.
    """
    if baseline.donor is None:
        return None
    name, fields = baseline.donor
    if not issubclass(BASELINES.find(name), Pretrained):
        raise SpecError(
            f"{baseline.card.name}: its donor {name!r} is not pre-trained here; name a baseline "
            "that is, for instance supervised."
        )
    found = find_baseline(Ref.of(name, fields))
    assert isinstance(found, Pretrained)  # noqa: S101 (for the type checker)
    return found


def identity(baseline: Pretrained, source: Task, pretraining: Pretraining) -> str:
    """Name of the weights: a hash over all that decides them, and no path.

    Raises:
        DataError: the source lacks the volumes that are asked for, or their files.
    """
    card = source.card
    fields = identifying(baseline, dataclasses.asdict(baseline))
    for name in ("source", "volumes"):  # their content enters as the fingerprint of the cases
        del fields[name]
    fields.pop("decoder", None)  # what a cell loads of the weights, which hold all
    parent = donor(baseline)
    return digest(
        {
            **({"donor": identity(parent, source, pretraining)} if parent else {}),
            "version": VERSION,
            "baseline": [baseline.card.name, fields],
            "channels": len(card.channels),
            "classes": list(card.classes.items()),
            "preprocessing": _preprocessing(baseline, source).model_dump(mode="json"),
            "data": cases_hash(volumes(baseline, source, pretraining.seed)),
            "pretraining": pretraining.model_dump(mode="json"),
        }
    )[:20]


def _preprocessing(baseline: Pretrained, source: Task) -> Preprocessing:
    contract, card = baseline.card.contract, source.card
    return contract.on(card.modality) if contract else card.preprocessing


def _given(
    parent: Pretrained,
    source: Task,
    pretraining: Pretraining,
    where: _Where,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights of a donor, made if they are not there, and what they cost."""
    made = make(parent, source, pretraining, **where._asdict())
    facts = made._asdict()
    del facts["path"], facts["sha256"], facts["head"]
    return read_weights(made.path, made.sha256), facts


def _trained(
    baseline: Pretrained,
    source: Task,
    cases: Sequence[Case],
    pretraining: Pretraining,
    folder: Path,
    where: _Where,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Train the backbone on the objective: its weights, and what they cost."""
    network = _network(baseline, source, pretraining)
    prepared = _annotated(baseline, source, cases, pretraining.seed)
    objective = baseline.objective(network, source.card).to(where.device)
    if pretraining.channels_last:
        objective.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    forward = torch.compile(objective) if pretraining.compile else objective
    training = train(
        objective,
        lambda tensors: forward(*tensors),
        _batches(baseline, source, prepared, pretraining),
        pretraining,
        seed=_seed("training", pretraining),
        device=where.device,
        checkpoint=folder / "checkpoint.ckpt",
        checkpoint_seconds=where.checkpoint_seconds,
    )
    facts = {
        "volumes": len(cases),
        "masks": sum(len(case.present) for case in prepared) if baseline.needs_labels else 0,
        **compute_hours(training.seconds, where.device, where.threads)._asdict(),
        "seconds": training.seconds,
        "losses": training.losses,
    }
    _write(folder / _HEAD, head_of(objective, network))
    return network.state_dict(), facts


def _network(baseline: Pretrained, source: Task, pretraining: Pretraining) -> Backbone:
    torch.manual_seed(_seed("initialisation", pretraining))
    network = baseline.backbone(len(source.card.channels))
    network.check_patch(pretraining.patch)
    return network


def _annotated(
    baseline: Pretrained, source: Task, cases: Sequence[Case], seed: int
) -> Sequence[PreparedCase]:
    prepared = prepare_cases(source, cases, _preprocessing(baseline, source))
    return baseline.annotated(list(prepared.values()), source.card, seed)


def _batches(
    baseline: Pretrained, source: Task, cases: Sequence[PreparedCase], pretraining: Pretraining
) -> Callable[[int], Batch]:
    """The batch of a step."""
    classes, axes = source.card.classes, _preprocessing(baseline, source).axes
    share = FOREGROUND if baseline.needs_labels else 0.0
    seed = _seed("order", pretraining)
    patches = Patches(cases, classes, pretraining.patch, pretraining.batch, share, seed)
    mirrors, level = mirror_axes(classes, axes), pretraining.augmentation
    changes = _seed("augmentation", pretraining)
    return lambda step: augment(patches.batch(step), level, changes, step, mirrors)


def _seed(name: str, pretraining: Pretraining) -> int:
    return stream(f"pretraining {name}", seed=pretraining.seed)


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


def _store(folder: Path, tensors: Mapping[str, Tensor], facts: dict[str, Any]) -> Made:
    """Write the weights, then the card that says they are finished."""
    facts["sha256"] = _write(folder / "weights.safetensors", tensors)
    write_atomically(folder / "made.json", json.dumps(facts, indent=1))
    return _made(folder, facts)


def _made(folder: Path, facts: dict[str, Any]) -> Made:
    losses = {int(step): loss for step, loss in facts["losses"].items()}
    head = folder / _HEAD if (folder / _HEAD).is_file() else None
    return Made(**{**facts, "losses": losses}, path=folder / "weights.safetensors", head=head)


def _write(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Write tensors; the file's sha256."""
    content = save({name: t.detach().cpu().contiguous() for name, t in tensors.items()})
    write_atomically(path, content)
    return hashlib.sha256(content).hexdigest()
