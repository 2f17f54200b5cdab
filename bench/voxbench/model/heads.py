"""Published heads, for direct inference: features and maps → logits."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voxbench.errors import WeightsError

_GROUPS = 16  # of the Universal Model's group norms
_WIDTH = 8  # channels of its dynamic layers


class ConvolutionHead(nn.Module):
    """One convolution of the features, padded so that their size stays.

    Args:
        weight: (outputs, features, k, k, k), k odd.
        bias: (outputs,).
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        outputs, features, kernel = weight.shape[:3]
        self.conv = nn.Conv3d(features, outputs, kernel, padding=kernel // 2)
        self.conv.load_state_dict({"weight": weight, "bias": bias})

    @classmethod
    def of(
        cls, published: Mapping[str, Tensor], name: str, outputs: Sequence[str]
    ) -> "ConvolutionHead":
        """The convolution of a file that is called `name`.

        Raises:
            WeightsError: the file lacks it, or it gives another number of outputs.
        """
        weight = _get(published, f"{name}.weight")
        _check(name, weight, outputs)
        return cls(weight, _get(published, f"{name}.bias"))

    def forward(self, features: Tensor, maps: Sequence[Tensor]) -> Tensor:  # noqa: ARG002 (a head's signature)
        """Features (b, c, d, h, w) → logits (b, outputs, d, h, w)."""
        logits: Tensor = self.conv(features)
        return logits


class ControlledHead(nn.Module):
    """A small network an organ, whose weights a controller makes (Liu et al., ICCV 2023).

    The coarsest map, pooled, and the embedding of the organ's name go through a 1x1x1 convolution
    that gives the 153 parameters of three layers: 8 → 8 → 8 → 1 channels.

    Args:
        published: a file's tensors under their plain names: `GAP`, `precls_conv`, `controller`,
            `organ_embedding` and, where that is an embedding of text, `text_to_vision`.
        outputs: its organs, in order.

    Raises:
        WeightsError: one of them is missing, or there are more or fewer organs.
    """

    embedding: Tensor

    def __init__(self, published: Mapping[str, Tensor], outputs: Sequence[str]) -> None:
        super().__init__()
        self.pool = nn.Sequential(
            _norm(published, "GAP.0"),
            nn.ReLU(),
            nn.AdaptiveAvgPool3d(1),
            _convolution(published, "GAP.3"),
        )
        self.reduce = nn.Sequential(
            _norm(published, "precls_conv.0"), nn.ReLU(), _convolution(published, "precls_conv.2")
        )
        self.controller = _convolution(published, "controller")
        self.register_buffer("embedding", _embedding(published))
        _check("organ_embedding", self.embedding, outputs)

    def forward(self, features: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """Features (b, channels, d, h, w) and maps, finest first → logits (b, organs, d, h, w)."""
        pooled = self.pool(maps[-1]).flatten(1)
        images = zip(self.reduce(features), pooled, strict=True)
        return torch.stack([self._image(reduced, seen) for reduced, seen in images])

    def _image(self, reduced: Tensor, seen: Tensor) -> Tensor:
        organs = len(self.embedding)
        conditions = torch.cat([seen.expand(organs, -1), self.embedding], dim=1)
        parameters = self.controller(conditions[:, :, None, None, None]).flatten(1)
        return torch.cat([_dynamic(reduced.unsqueeze(0), organ)[0] for organ in parameters])


def _dynamic(x: Tensor, parameters: Tensor) -> Tensor:
    """Three 1x1x1 convolutions; `parameters` holds their weights, then their biases."""
    widths = (_WIDTH, _WIDTH, _WIDTH, 1)
    layers = list(pairwise(widths))
    sizes = [into * out for into, out in layers] + [out for _, out in layers]
    pieces = parameters.split_with_sizes(sizes)
    for i, (into, out) in enumerate(layers):
        x = F.conv3d(F.relu(x) if i else x, pieces[i].view(out, into, 1, 1, 1), pieces[3 + i])
    return x


def _embedding(published: Mapping[str, Tensor]) -> Tensor:
    """(organs, 256), from the embedding of text (organs, 512) or learnt itself."""
    if "organ_embedding" not in published:
        return _get(published, "organ_embedding.weight").float()
    weight, bias = (_get(published, f"text_to_vision.{name}") for name in ("weight", "bias"))
    text = _get(published, "organ_embedding")
    return F.relu(F.linear(text.float(), weight.float(), bias.float()))


def _convolution(published: Mapping[str, Tensor], name: str) -> nn.Conv3d:
    weight = _get(published, f"{name}.weight")
    layer = nn.Conv3d(weight.shape[1], weight.shape[0], 1)
    _fill(layer, published, name)
    return layer


def _norm(published: Mapping[str, Tensor], name: str) -> nn.GroupNorm:
    layer = nn.GroupNorm(_GROUPS, len(_get(published, f"{name}.weight")))
    _fill(layer, published, name)
    return layer


def _fill(layer: nn.Module, published: Mapping[str, Tensor], name: str) -> None:
    layer.load_state_dict({key: _get(published, f"{name}.{key}") for key in ("weight", "bias")})


def _get(published: Mapping[str, Tensor], name: str) -> Tensor:
    if name not in published:
        raise WeightsError(f"the file has no head: {name} is missing; it can't infer directly.")
    return published[name]


def _check(name: str, tensor: Tensor, outputs: Sequence[str]) -> None:
    if len(tensor) != len(outputs):
        raise WeightsError(
            f"the head {name} gives {len(tensor)} outputs, the baseline's card names "
            f"{len(outputs)}: another version of the file; it can't infer directly."
        )
