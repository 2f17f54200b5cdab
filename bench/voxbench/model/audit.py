"""Loading weights into a backbone, with proof that they arrived."""

import hashlib
from collections.abc import Iterable, Mapping, Set
from typing import NamedTuple

import torch
from torch import Tensor, nn

from voxbench.errors import WeightsError
from voxbench.model.backbones import Backbone
from voxbench.records.record import LoadAudit

_SHOWN = 12
_STATISTICS = {"running_mean", "running_var"}


def load_weights(
    backbone: Backbone, tensors: Mapping[str, Tensor], *, min_loaded: float, in_channels: int
) -> LoadAudit:
    """Copy the tensors whose name and shape fit, and audit what that changed.

    Args:
        backbone: filled in place, encoder and decoder; untouched if the audit fails.
        tensors: weights under the names of `backbone.state_dict()`.
        min_loaded: share of the encoder's parameters that must be covered. The running
            statistics of a norm must come with its weights, whatever the share.
        in_channels: of the probe volume.

    Raises:
        WeightsError: too little fits, or nothing changed; names the tensors.
    """
    found = compare_tensors(backbone, tensors)
    if objection := found.objection(min_loaded):
        raise WeightsError(objection)
    before = tensor_hash(backbone.encoder), activations(backbone, in_channels)
    backbone.load_state_dict({name: tensors[name] for name in found.fitting}, strict=False)
    after = tensor_hash(backbone.encoder), activations(backbone, in_channels)
    if before[0] == after[0]:
        raise WeightsError("the weights are those the encoder already had: nothing was loaded.")
    return LoadAudit(
        loaded_share=found.share,
        loaded_total_share=found.total_share,
        missing=found.missing,
        unused=sorted([*found.strange, *found.misshapen]),
        hash_before=before[0],
        hash_after=after[0],
        activation_before=before[1],
        activation_after=after[1],
    )


class TensorComparison(NamedTuple):
    """Which of a file's tensors a backbone can take.

    Attributes:
        fitting: names that agree in shape too.
        share: of the encoder's parameters that they cover.
        total_share: of all the backbone's parameters.
        missing: encoder tensors that the file lacks or has in another shape.
        stale: running statistics among them whose norm is loaded otherwise.
        strange: names that the backbone doesn't have.
        misshapen: names with another shape than it needs, with both.
    """

    fitting: list[str]
    share: float
    total_share: float
    missing: list[str]
    stale: list[str]
    strange: list[str]
    misshapen: list[str]

    def objection(self, min_loaded: float) -> str | None:
        """Why these tensors must not be loaded, or None."""
        rest = (
            f"not in the file: {_few(self.missing)}; of another shape: {_few(self.misshapen)}; "
            f"no place for: {_few(self.strange)}."
        )
        if self.share < min_loaded:
            return (
                f"only {self.share:.1%} of the encoder's parameters fit, at least "
                f"{min_loaded:.0%} must; {rest}"
            )
        if self.stale:
            return (
                f"the encoder is half loaded: norms have their weights but not their running "
                f"statistics, {_few(self.stale)}; of another shape: {_few(self.misshapen)}."
            )
        return None


def compare_tensors(backbone: Backbone, tensors: Mapping[str, Tensor]) -> TensorComparison:
    """What would be loaded, by names and shapes alone; works on the meta device."""
    state = backbone.state_dict()
    fitting = {k for k, t in tensors.items() if k in state and t.shape == state[k].shape}
    missing = sorted(
        name
        for name in state.keys() - fitting
        if name.startswith("encoder.") and not name.endswith("num_batches_tracked")
    )
    return TensorComparison(
        fitting=sorted(fitting),
        share=_share(backbone.encoder.named_parameters(prefix="encoder"), fitting),
        total_share=_share(backbone.named_parameters(), fitting),
        missing=missing,
        stale=[name for name in missing if _is_stale(name, state, fitting)],
        strange=sorted(tensors.keys() - state.keys()),
        misshapen=[
            f"{name} (has {tuple(tensors[name].shape)}, needs {tuple(state[name].shape)})"
            for name in sorted(tensors.keys() & state.keys() - fitting)
        ],
    )


def _is_stale(name: str, state: Mapping[str, Tensor], fitting: Set[str]) -> bool:
    """Statistics of a norm that is loaded, or that has nothing else to load."""
    norm, _, kind = name.rpartition(".")
    weight = f"{norm}.weight"
    return kind in _STATISTICS and (weight in fitting or weight not in state)


def activations(backbone: Backbone, in_channels: int) -> list[float]:
    """Mean and deviation of each encoder map on a fixed volume, in evaluation mode."""
    device = next(backbone.parameters()).device
    training = backbone.training
    backbone.eval()
    with torch.no_grad():
        maps = backbone.encoder(probe(backbone.smallest_patch, in_channels).to(device))
    backbone.train(training)
    return [round(float(v), 6) for m in maps for v in (m.double().mean(), m.double().std())]


def probe(shape: tuple[int, int, int], channels: int) -> Tensor:
    """A volume (1, channels, d, h, w) of smooth waves around 0 and no randomness."""
    axes = [torch.arange(size, dtype=torch.float32) for size in shape]
    d, h, w = torch.meshgrid(*axes, indexing="ij")
    waves = [torch.sin((d + 2 * h + 3 * w + 5 * c) / 7) + torch.cos(w / 3) for c in range(channels)]
    return torch.stack(waves).unsqueeze(0)


def _share(parameters: Iterable[tuple[str, nn.Parameter]], fitting: Set[str]) -> float:
    sizes = {name: parameter.numel() for name, parameter in parameters}
    return sum(size for name, size in sizes.items() if name in fitting) / sum(sizes.values())


def tensor_hash(module: nn.Module) -> str:
    """sha256 of a module's tensors with their names, types and shapes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _few(names: list[str]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
