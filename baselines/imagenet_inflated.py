"""ImageNet ResNets, inflated to 3D."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bench.api import BaselineCard, Published

if TYPE_CHECKING:
    from torch import Tensor

    from bench.model.backbones import Backbone


@dataclass(frozen=True, kw_only=True)
class ImageNetInflated(Published):
    """A 2D ResNet from torchvision or timm (their key names agree), kernels inflated.

    Attributes:
        weights: the file, `.pth` or `.safetensors`, for a ResNet of depth `size`.
    """

    architecture: str = "resnet"
    size: str = "18"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="imagenet-inflated",
        strategy="imagenet",
        pretraining_data=("ImageNet-1k",),
        volumes=1_281_167,
        licence="of the file: torchvision's are BSD-3-Clause",
        reference="Carreira and Zisserman, Quo Vadis, Action Recognition?, CVPR 2017",
    )

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """Every name below `encoder.`; the classifier `fc` finds no place there."""
        from bench.model.inflate import inflate

        named = {f"encoder.{name}": tensor for name, tensor in published.items()}
        return inflate(named, backbone.state_dict())
