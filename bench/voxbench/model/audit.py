"""Loading weights into a backbone, with proof that they arrived."""

import hashlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from voxbench.errors import WeightsError
from voxbench.model.backbones import Backbone
from voxbench.model.comparison import compare_tensors, first_names
from voxbench.records.provenance import LoadAudit


def load_weights(
    backbone: Backbone,
    tensors: Mapping[str, Tensor],
    *,
    min_loaded: float,
    in_channels: int,
    left_over: Sequence[str] = (),
) -> LoadAudit:
    """Copy the tensors whose name and shape fit, and audit what that changed.

    Args:
        backbone: filled in place, encoder and decoder; untouched if the audit fails.
        tensors: weights under the names of `backbone.state_dict()`.
        min_loaded: share of the encoder's parameters that must be covered. The running
            statistics of a norm must come with its weights, whatever the share.
        in_channels: of the probe volume.
        left_over: patterns of the names that may find no place.

    Raises:
        WeightsError: too little fits, the tensors are another network's, are blank, or change
            nothing; names them.
    """
    found = compare_tensors(backbone, tensors, left_over)
    if objection := found.objection(min_loaded):
        raise WeightsError(objection)
    if blank := [name for name in found.fitting if _is_blank(name, tensors[name])]:
        raise WeightsError(f"kernels of nothing but zeros: {first_names(blank)}; the file is bad.")
    before = tensor_hash(backbone.encoder), activations(backbone, in_channels)
    backbone.load_state_dict({name: tensors[name] for name in found.fitting}, strict=False)
    after = tensor_hash(backbone.encoder), activations(backbone, in_channels)
    if before[0] == after[0]:
        raise WeightsError("the weights are those the encoder already had: nothing was loaded.")
    return LoadAudit(
        loaded_share=found.share,
        loaded_total_share=found.total_share,
        missing=found.missing,
        file_share=found.file_share,
        unused=sorted([*found.strange, *found.misshapen]),
        hash_before=before[0],
        hash_after=after[0],
        activation_before=before[1],
        activation_after=after[1],
    )


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


def tensor_hash(module: nn.Module) -> str:
    """sha256 of a module's tensors with their names, types and shapes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _is_blank(name: str, tensor: Tensor) -> bool:
    return name.endswith("weight") and tensor.ndim > 1 and not bool(tensor.any())
