"""ImageNet's SqueezeNet 1.0, inflated to 3D."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import BaselineCard

from voxbench_baselines.imagenet_inflated import Inflated

IMAGENET_DEVIATION = 58.0  # of ImageNet's grey values in 0…255


@dataclass(frozen=True, kw_only=True)
class ImageNetSqueezeNet(Inflated):
    """Caffe's SqueezeNet under its module names (`fire2.conv1x1_1.weight`), kernels inflated.

    It expects 0…255 minus the mean and has no norm that would adapt, so the stem is scaled:
    an input of deviation 1 is taken for a picture of ImageNet's deviation.

    Attributes:
        weights: the file, `.npz`, `.pth` or `.safetensors`.
    """

    architecture: str = "squeezenet"
    size: str = "1.0"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="imagenet-squeezenet",
        strategy="imagenet",
        pretraining_data=("ImageNet-1k",),
        volumes=1_281_167,
        licence="of the file: the original release is BSD-2-Clause",
        reference="Iandola et al., SqueezeNet, 2016; inflation: Carreira and Zisserman, 2017",
        left_over=("conv_final.*",),
    )

    scales: ClassVar[Mapping[str, float]] = {"conv1.weight": IMAGENET_DEVIATION}
    inflations: ClassVar[tuple[str, ...]] = ("average", "centre")  # no norms to undo replication
