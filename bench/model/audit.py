"""Loading weights into a backbone, with proof that they arrived."""

import hashlib
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from bench.errors import WeightsError
from bench.model.backbones import Backbone
from bench.record.record import LoadAudit

SHOWN = 12


def load(
    backbone: Backbone, tensors: Mapping[str, Tensor], *, min_loaded: float, in_channels: int
) -> LoadAudit:
    """Copy the tensors whose name and shape fit, and audit what that changed.

    Args:
        backbone: filled in place, encoder and decoder; untouched if the audit fails.
        tensors: weights under the names of `backbone.state_dict()`.
        min_loaded: share of the encoder's parameters that must be covered.
        in_channels: of the probe volume.

    Raises:
        WeightsError: too little fits, or nothing changed; names the tensors.
    """
    state = backbone.state_dict()
    fitting = {k: t for k, t in tensors.items() if k in state and t.shape == state[k].shape}
    unused = [_why_unused(name, tensors, state) for name in sorted(tensors.keys() - fitting.keys())]
    missing = sorted(
        name
        for name in state.keys() - fitting.keys()
        if name.startswith("encoder.") and not name.endswith("num_batches_tracked")
    )
    share = _share(backbone.encoder.named_parameters(prefix="encoder"), fitting)
    if share < min_loaded:
        raise WeightsError(
            f"only {share:.1%} of the encoder's parameters fit, at least {min_loaded:.0%} must; "
            f"not in the file: {_few(missing)}; no place for: {_few(unused)}."
        )
    before = _hash(backbone.encoder), activations(backbone, in_channels)
    backbone.load_state_dict(fitting, strict=False)
    after = _hash(backbone.encoder), activations(backbone, in_channels)
    if before[0] == after[0]:
        raise WeightsError("the weights are those the encoder already had: nothing was loaded.")
    return LoadAudit(
        loaded_share=share,
        loaded_total_share=_share(backbone.named_parameters(), fitting),
        missing=missing,
        unused=unused,
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


def _share(parameters: Iterable[tuple[str, nn.Parameter]], fitting: Mapping[str, Tensor]) -> float:
    sizes = {name: parameter.numel() for name, parameter in parameters}
    return sum(size for name, size in sizes.items() if name in fitting) / sum(sizes.values())


def _hash(module: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _why_unused(name: str, tensors: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    if name not in state:
        return name
    return f"{name} (has {tuple(tensors[name].shape)}, needs {tuple(state[name].shape)})"


def _few(names: list[str]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
