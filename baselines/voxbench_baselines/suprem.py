"""SuPreM: supervised pre-training on AbdomenAtlas; the released weights saw 2,100 CT volumes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Checkpoint, Published

from voxbench_baselines.genesis import UNREAD_STATISTICS
from voxbench_baselines.universal_model import (
    CONTROLLER,
    SWIN_START,
    UNET_START,
    UNIVERSAL_CONTRACT,
    UNIVERSAL_OUTPUTS,
    Controllable,
    ControllableUNet,
)

if TYPE_CHECKING:
    from torch import Tensor, nn
    from voxbench.toolkit import Backbone

_PAGE = "https://huggingface.co/MrGiovanni/SuPreM"
_LICENCE = "Apache-2.0 (model card) or CC BY-NC-ND 4.0 (repository): they disagree"
_REFERENCE = "Li, Yuille and Zhou, How Well Do Supervised 3D Models Transfer, ICLR 2024"


def hosted(file: str, md5: str | None = None) -> Checkpoint:
    """A file that is served beside SuPreM's, its own and those that it compares."""
    return Checkpoint(
        file=file,
        url=f"{_PAGE}/resolve/main/{file}",
        page=_PAGE,
        checksum=f"md5:{md5}" if md5 else None,
    )


@dataclass(frozen=True, kw_only=True)
class SuPreMSegResNet(Published):
    """SuPreM's SegResNet, trained from scratch; its head is one convolution."""

    architecture: str = "segresnet"
    size: str = "small"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="suprem-segresnet",
        strategy="supervised",
        pretraining_data=("AbdomenAtlas",),
        volumes=2100,
        licence=_LICENCE,
        reference=_REFERENCE,
        contract=UNIVERSAL_CONTRACT,
        channels=1,
        outputs=UNIVERSAL_OUTPUTS,
        left_over=("conv_final.2.conv.*",),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "small": hosted("supervised_suprem_segresnet_2100.pth", "fa044baf9a49832e7fe6ab55c9227e49")
    }

    def head(self, published: Mapping[str, "Tensor"], backbone: "Backbone") -> "nn.Module":  # noqa: ARG002
        """The last convolution."""
        from voxbench.toolkit import ConvolutionHead

        return ConvolutionHead.of(published, "conv_final.2.conv", self.card.outputs)


@dataclass(frozen=True, kw_only=True)
class SuPreMSwinUNETR(Controllable):
    """SuPreM's Swin UNETR, which started from Swin UNETR 5050."""

    architecture: str = "swin-unetr"
    size: str = "base"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="suprem-swin-unetr",
        strategy="supervised",
        pretraining_data=("AbdomenAtlas", *SWIN_START),
        volumes=2100,
        licence=_LICENCE,
        reference=_REFERENCE,
        contract=UNIVERSAL_CONTRACT,
        channels=1,
        outputs=UNIVERSAL_OUTPUTS,
        left_over=CONTROLLER,
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": hosted("supervised_suprem_swinunetr_2100.pth", "72688b8e5766e87f7c3712fa7555d1fd")
    }


@dataclass(frozen=True, kw_only=True)
class SuPreMUNet(ControllableUNet):
    """SuPreM's U-Net, which started from Models Genesis."""

    card: ClassVar[BaselineCard] = BaselineCard(
        name="suprem-unet",
        strategy="supervised",
        pretraining_data=("AbdomenAtlas", *UNET_START),
        volumes=2100,
        licence=_LICENCE,
        reference=_REFERENCE,
        contract=UNIVERSAL_CONTRACT,
        channels=1,
        outputs=UNIVERSAL_OUTPUTS,
        left_over=(*CONTROLLER, *UNREAD_STATISTICS),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": hosted("supervised_suprem_unet_2100.pth")
    }
