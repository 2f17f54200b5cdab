"""How far is an inflated network from the 2D one, in the middle slice of a picture without depth?

    python -m tests.benchmarks.inflation

Root mean square of the difference by that of the 2D activations, for each of the encoder's
maps, at the depths of usual patches. Weights: EfficientNet-Lite0 (extra `efficientnet`), SqueezeNet
in $VOXBENCH_WEIGHTS, and a ResNet-18 that is filled at random, in torchvision's layout.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from voxbench.api import Published
from voxbench.model.audit import load_weights
from voxbench.model.weights import read_weights
from voxbench_baselines.imagenet_efficientnet import ImageNetEfficientNet
from voxbench_baselines.imagenet_inflated import ImageNetInflated, Inflated
from voxbench_baselines.imagenet_squeezenet import IMAGENET_DEVIATION, ImageNetSqueezeNet

from tests.model import flat
from tests.model.test_inflate import in_3d

DEPTHS = (96, 32, 8)
SIDE = 64
Reference = Callable[[Tensor, dict[str, Tensor]], list[Tensor]]


def main() -> None:
    print("| network | inflation | depth | error by map, finest first |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, make, reference, scale in networks(Path(folder)):
            for inflation in make(inflation="centre").inflations:
                for depth in DEPTHS:
                    errors = compare(make(inflation=inflation), reference, scale, depth)
                    told = ", ".join(f"{error:.1%}" if error > 1e-4 else f"{error:.0e}"
                                     for error in errors)  # fmt: skip
                    print(f"| {name} | {inflation} | {depth} | {told} |", flush=True)


def networks(folder: Path) -> Iterator[tuple[str, Callable[..., Inflated], Reference, float]]:
    file = folder / "resnet18.pth"
    torch.save(flat.resnet18_state(), file)
    yield "resnet-18 (random)", partial(ImageNetInflated, weights=str(file)), flat.resnet18, 1.0
    yield "efficientnet-lite0", ImageNetEfficientNet, flat.efficientnet_lite0, 1.0
    squeezenet = Path(os.environ.get("VOXBENCH_WEIGHTS", ".")) / (
        "squeezenet_v1.0_imagenet_decoded.npz"
    )
    if squeezenet.exists():
        made = partial(ImageNetSqueezeNet, weights=str(squeezenet))
        yield "squeezenet", made, flat.squeezenet, IMAGENET_DEVIATION


def compare(baseline: Published, reference: Reference, scale: float, depth: int) -> list[float]:
    state, backbone = read_weights(baseline.file()), baseline.backbone(1)
    tensors = baseline.translate(state, backbone)
    load_weights(backbone, tensors, min_loaded=1, in_channels=1,
                 left_over=baseline.left_over(state))  # fmt: skip
    picture = torch.randn(1, 1, SIDE, SIDE, generator=torch.manual_seed(0))
    with torch.no_grad():
        expected = reference(scale * picture.repeat(1, 3, 1, 1), state)
    found = in_3d(backbone, picture, depth)
    pairs = zip(found, expected, strict=True)
    return [float((a - b).square().mean().sqrt() / b.square().mean().sqrt()) for a, b in pairs]


if __name__ == "__main__":
    main()
