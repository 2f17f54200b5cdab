"""What every architecture gives with weights that a rule makes, so that a dependency can't move it.

`python -m tests.model.golden` writes `tests/golden/networks.json` again: only after a change of a
network that was meant.
"""

import json
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from voxbench.model.backbones import Backbone
from voxbench.plugins import ARCHITECTURES, find_architecture

FILE = Path(__file__).parent.parent / "golden/networks.json"
SAMPLES = 12
"""Values of each output that are kept."""

NETWORKS = (
    *((name, next(iter(ARCHITECTURES.find(name).sizes))) for name in ARCHITECTURES.plugins()),
    *(("swin-unetr", "tiny-v2"), ("swin-unetr-distinct", "tiny-v2"), ("mit", "small")),
    *(
        ("resnet", "50"),
        ("medicalnet", "18"),
        ("medicalnet", "50"),
        ("unet", "small"),
        ("mednext", "small-k5"),
    ),
)
"""The smallest of each architecture, and sizes that are built in another way."""


def given(architecture: str, size: str) -> list[list[float]]:
    """Samples of each encoder map, finest first, and of the features."""
    backbone = filled(find_architecture(architecture).build(size, 1))
    with torch.no_grad():
        maps = backbone.encoder(noise("image", (1, 1, *shape(backbone))))
        outputs = [*maps, backbone.decoder(maps)]
    return [_samples(output) for output in outputs]


def shape(backbone: Backbone) -> tuple[int, int, int]:
    """A small patch that is no cube; where norms see voxels of the coarsest map, some of them."""
    few = min(backbone.encoder.bottleneck, 2)
    d, h, w = (max(side, few * backbone.divisor) for side in backbone.smallest_patch)
    return d, h, max(w, h + backbone.divisor)


def filled(backbone: Backbone) -> Backbone:
    """With weights by name alone, in evaluation mode; scales around 1, statistics plausible."""
    state = {}
    for name, tensor in backbone.state_dict().items():
        if tensor.is_floating_point():
            z = noise(name, tuple(tensor.shape))
            if name.endswith("running_var"):
                tensor = 1 + 0.2 * z.abs()
            elif name.endswith("weight") and tensor.ndim > 1:
                tensor = z / math.sqrt(math.prod(tensor.shape[1:]))
            else:
                tensor = 0.1 * z + name.endswith("weight")
        state[name] = tensor
    backbone.load_state_dict(state)
    return backbone.eval()


def noise(name: str, shape: tuple[int, ...]) -> Tensor:
    """Evenly spread values of mean 0 and deviation 1: a hash of name and place, not a generator.

    Chris Wellons' 32-bit hash, so that no library's stream of random numbers matters.
    """
    x = np.arange(math.prod(shape), dtype=np.uint32) + np.uint32(zlib.crc32(name.encode()))
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= x >> np.uint32(shift)
        x *= np.uint32(factor)
    x ^= x >> np.uint32(16)
    spread = (x / 2.0**32 - 0.5) * math.sqrt(12)
    return torch.from_numpy(spread.astype(np.float32)).reshape(shape)


def _samples(output: Tensor) -> list[float]:
    flat = output.flatten()
    places = np.linspace(0, len(flat) - 1, SAMPLES).astype(int)
    return [round(float(value), 5) for value in flat[places]]


def written() -> str:
    """The file, a network a line."""
    found = {f"{name} {size}": given(name, size) for name, size in NETWORKS}
    lines = (f' "{name}": {json.dumps(values)}' for name, values in found.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(written())
