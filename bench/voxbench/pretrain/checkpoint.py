"""Weights that were made here as a file to hand on."""

import dataclasses
import hashlib
import json
from importlib import metadata
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from voxbench.api import Preprocessing
from voxbench.errors import SpecError
from voxbench.files import write_atomically
from voxbench.model.weights import read_weights
from voxbench.pretrain.card import KEY, CheckpointCard
from voxbench.pretrain.engine import make_weights
from voxbench.pretrain.head import PREFIX
from voxbench.pretrain.made import Made, TrainingCost, read_head
from voxbench.pretrain.plan import PretrainingPlan


def write_checkpoint(
    path: Path,
    plan: PretrainingPlan,
    *,
    device: str = "cpu",
    threads: int = 1,
) -> tuple[CheckpointCard, str]:
    """Make weights, or find them made, and write them with their card.

    With them goes what the objective trained beside the backbone, for `voxbench check`. The card
    lies in the file itself and, with the file's sha256, beside it as `<file>.json`.

    Args:
        path: `….safetensors`; what is there is replaced.
        plan: what is trained on what.
        device: "cpu" or "cuda:N".
        threads: that this process computes with.

    Returns:
        The card and the file's sha256.

    Raises:
        SpecError: the file has another suffix or no possible folder, or the network can't take the
            patch.
        DataError: a case of the source can't be used.
    """
    if path.suffix != ".safetensors":
        raise SpecError(f"-o {path}: weights are written as .safetensors; give it that suffix.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpecError(f"-o {path}: its folder can't be made ({error.strerror}).") from error
    made = make_weights(plan, device=device, threads=threads)
    card = _card(plan, made.cost)
    tensors = {**read_weights(made.path, made.sha256), **_head(made)}
    content = save(tensors, metadata={KEY: card.model_dump_json()})
    sha256 = hashlib.sha256(content).hexdigest()
    write_atomically(path, content)
    beside = {**card.model_dump(mode="json"), "sha256": sha256}
    write_atomically(path.with_name(f"{path.name}.json"), json.dumps(beside, indent=1))
    return card, sha256


def _head(made: Made) -> dict[str, Tensor]:
    """What the objective trained beside the backbone, under names that no backbone has."""
    head = read_head(made) if made.head else {}
    return {f"{PREFIX}{name}": tensor for name, tensor in head.items()}


def _card(plan: PretrainingPlan, cost: TrainingCost) -> CheckpointCard:
    baseline, described = plan.baseline, plan.source.card
    own = baseline.card
    return CheckpointCard(
        name=own.name,
        strategy=own.strategy,
        architecture=baseline.architecture,
        size=baseline.size,
        in_channels=len(described.channels),
        channels=described.channels,
        axes=dataclasses.asdict(baseline),
        source=described.name,
        corpora=described.corpora or (described.name,),
        licence=described.licence,
        reference=own.reference,
        source_reference=described.reference,
        preprocessing=own.contract or _preprocessing(plan),
        pretraining=plan.schedule,
        voxbench=metadata.version("voxbench"),
        volumes=cost.volumes,
        masks=cost.masks,
        gpu_hours=cost.gpu_hours,
        cpu_hours=cost.cpu_hours,
        terms=cost.last_terms,
    )


def _preprocessing(plan: PretrainingPlan) -> Preprocessing | None:
    """Of all the data sets; None where each has its own."""
    used = {plan.preprocessing(dataset) for dataset, _ in plan.members}
    return used.pop() if len(used) == 1 else None
