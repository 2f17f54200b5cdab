"""ImageNet ResNets, inflated to 3D."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from voxbench.api import BaselineCard, Checkpoint, Published

if TYPE_CHECKING:
    from torch import Tensor
    from voxbench.toolkit import Backbone


@dataclass(frozen=True, kw_only=True)
class Inflated(Published):
    """A 2D network whose names are those of a 3D encoder.

    Attributes:
        inflation: how a kernel gets its depth, see `voxbench.model.inflate`. "centre" is the 2D
            network in every slice; "average" is it only far from the ends of the depth, where
            zeros are padded: farther than most patches are deep.
    """

    inflation: str = "centre"

    parts: ClassVar[tuple[str, ...]] = ("encoder",)
    inflations: ClassVar[tuple[str, ...]] = ("average", "centre", "replicate")

    def __post_init__(self) -> None:
        if self.inflation not in self.inflations:
            raise ValueError(
                f"inflation must be one of {', '.join(self.inflations)}, got {self.inflation!r}"
            )

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """Names below `encoder.`, kernels inflated; classifiers find no place there.

        Raises:
            WeightsError: its kernels are 3D already.
        """
        from voxbench.toolkit import Inflation, inflate

        named = super().translate(published, backbone)
        return inflate(named, backbone, cast("Inflation", self.inflation))


def _torchvision(file: str) -> Checkpoint:
    """Its files are named after the first digits of their checksum."""
    return Checkpoint(
        file=file,
        url=f"https://download.pytorch.org/models/{file}",
        page="https://docs.pytorch.org/vision/stable/models/resnet.html",
        checksum=f"sha256:{file.removesuffix('.pth').rpartition('-')[2]}",
    )


@dataclass(frozen=True, kw_only=True)
class ImageNetInflated(Inflated):
    """A 2D ResNet from torchvision or timm (their key names agree), kernels inflated.

    Attributes:
        weights: the file, `.pth` or `.safetensors`, for a ResNet of depth `size`; None takes
            torchvision's first version.
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
        left_over=("fc.*",),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "18": _torchvision("resnet18-f37072fd.pth"),
        "34": _torchvision("resnet34-b627a593.pth"),
        "50": _torchvision("resnet50-0676ba61.pth"),
        "101": _torchvision("resnet101-63fe2227.pth"),
        "152": _torchvision("resnet152-394f9c45.pth"),
    }
