"""Files in the layouts of published weights, and what a baseline reads from them."""

import argparse
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from voxbench.api import Published
from voxbench.model.audit import load_weights
from voxbench.model.backbones import Backbone
from voxbench.model.weights import Contents, read_weights
from voxbench.records.provenance import LoadAudit

State = Mapping[str, Tensor]


class Loaded(NamedTuple):
    """A backbone with the weights of a file, and the file's tensors."""

    backbone: Backbone
    audit: LoadAudit
    published: Contents


def save(path: Path, state: State, wrapper: str | None = None, prefix: str = "") -> str:
    """Write a state dict as training scripts do: wrapped, prefixed, with what lies beside it."""
    content: dict[str, Any] = {f"{prefix}{name}": tensor for name, tensor in state.items()}
    if wrapper:
        parameter = nn.Parameter(torch.zeros(3))
        optimizer = torch.optim.AdamW([parameter])
        parameter.sum().backward()
        optimizer.step()
        content = {
            "epoch": 420,
            wrapper: content,
            "optimizer": optimizer.state_dict(),
            "scheduler": {"last_epoch": 420, "base_lrs": [1e-4]},
            "args": argparse.Namespace(lr=1e-4, roi=(96, 96, 96)),
        }
    torch.save(content, path)
    return str(path)


def renamed(state: State, names: Mapping[str, str]) -> dict[str, Tensor]:
    """The state with every text of `names` replaced, in their order."""
    result = {}
    for name, tensor in state.items():
        for old, new in names.items():
            name = name.replace(old, new)
        result[name] = tensor
    return result


def loaded(baseline: Published) -> Loaded:
    """Read, translate, load and audit, as a cell does; the network starts from other weights."""
    torch.manual_seed(1)
    backbone = baseline.backbone(1)
    published = read_weights(baseline.file())
    audit = load_weights(
        backbone,
        baseline.translate(published, backbone),
        min_loaded=baseline.card.min_loaded,
        in_channels=1,
        left_over=baseline.left_over(published),
    )
    return Loaded(backbone.eval(), audit, published)


def filled(network: nn.Module, seed: int = 0) -> nn.Module:
    """A network in evaluation mode whose norms have statistics and weights of their own."""
    random = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1, generator=random)
            module.running_var.uniform_(0.5, 1.5, generator=random)
        if isinstance(module, nn.modules.batchnorm._NormBase | nn.GroupNorm | nn.LayerNorm):
            for parameter in module.parameters():
                parameter.data += 0.1 * torch.randn(parameter.shape, generator=random)
    return network.eval()


def probe(*shape: int) -> Tensor:
    """A batch of noise (b, c, d, h, w)."""
    return torch.randn(shape, generator=torch.manual_seed(0))


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a state dict."""
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def fingerprint(names: Mapping[str, tuple[int, ...]]) -> tuple[int, int]:
    """How many tensors a layout has, and a checksum of their names and shapes."""
    lines = (f"{name} {tuple(shape)}" for name, shape in sorted(names.items()))
    return len(names), zlib.crc32("\n".join(lines).encode())


def assert_carried(tensors: State, backbone: Backbone, network: State) -> None:
    """Every tensor of the backbone that `tensors` has is the network's of the same name."""
    state = backbone.state_dict()
    carried = {name: tensor for name, tensor in tensors.items() if name in state}
    assert carried, "nothing fits"
    for name, tensor in carried.items():
        assert torch.equal(tensor, network[name.partition(".")[2]]), name


def translated(baseline: Published) -> tuple[dict[str, Tensor], Backbone]:
    """A file's tensors under the backbone's names, and the backbone, without memory."""
    with torch.device("meta"):
        backbone = baseline.backbone(1)
    return dict(baseline.translate(read_weights(baseline.file()), backbone)), backbone


def names_of(backbone: Backbone, part: str = "") -> set[str]:
    """The names of a backbone's tensors below a part."""
    return {name for name in backbone.state_dict() if name.startswith(part)}


def logits(backbone, head, image):
    """Of the published head, without training."""
    with torch.no_grad():
        maps = backbone.encoder(image)
        return head(backbone.decoder(maps), maps)


def plain(baseline: Published, *parts: str) -> dict[str, Tensor]:
    """Names and shapes of a file that fits a baseline whose network has the published names."""
    with torch.device("meta"):
        state = baseline.backbone(1).state_dict()
    return {
        name.partition(".")[2]: tensor
        for name, tensor in state.items()
        if name.startswith(parts or ("encoder.", "decoder."))
    }


def in_2d(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The 2D network of a 3D one."""
    return {name: t[:, :, 0] if t.ndim == 5 else t for name, t in state.items()}
