"""SuPreM: supervised pre-training on AbdomenAtlas; the released weights saw 2,100 CT volumes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from voxbench.api import BaselineCard, Checkpoint, Published

from voxbench_baselines.genesis import UNREAD_STATISTICS
from voxbench_baselines.universal_model import (
    CONTROLLER,
    DIRECT,
    SWIN_START,
    UNET_START,
    Controllable,
    ControllableUNet,
    universal_card,
)

# `TEMPLATE["target"]` of its direct inference
_TARGETS = (
    *("spleen", "kidney_right", "kidney_left", "gall_bladder", "liver", "stomach", "aorta"),
    *("postcava", "pancreas"),
)
_NOTE = (
    f"{DIRECT}, for nine of them: spleen, kidneys, gall bladder, liver, stomach, aorta, postcava "
    "and pancreas. Its code does so with U-Net and Swin UNETR, whose adaptation "
    "`direct-postprocessed` is the same (with `overlap = 0.75` in the recipe): where two organs "
    "overlap, the later one stands, as in its combined label map. The paper's 40 GPU hours are "
    "those of a model from 21 CT with 672 masks, not of these weights from 2,100; its results for "
    "9,262 are of weights that were not released."
)
_card = partial(
    universal_card,
    licence="Apache-2.0 (model card) or CC BY-NC-ND 4.0 (repository): they disagree",
    reference="Li, Yuille and Zhou, How Well Do Supervised 3D Models Transfer, ICLR 2024",
    note=_NOTE,
)


def hosted(file: str, md5: str | None = None) -> Checkpoint:
    """A file that is served beside SuPreM's, its own and those that it compares."""
    return Checkpoint.hugging_face("MrGiovanni/SuPreM", file, md5)


@dataclass(frozen=True, kw_only=True)
class SuPreMSegResNet(Published):
    """SuPreM's SegResNet, trained from scratch; its head is one convolution."""

    architecture: str = "segresnet"
    size: str = "small"

    card: ClassVar[BaselineCard] = _card(
        name="suprem-segresnet",
        pretraining_data=("AbdomenAtlas",),
        left_over=("conv_final.2.conv.*",),
    )
    head_layer: ClassVar[str] = "conv_final.2.conv"
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "small": hosted("supervised_suprem_segresnet_2100.pth", "fa044baf9a49832e7fe6ab55c9227e49")
    }


@dataclass(frozen=True, kw_only=True)
class SuPreMSwinUNETR(Controllable):
    """SuPreM's Swin UNETR, which started from Swin UNETR 5050."""

    architecture: str = "swin-unetr"
    size: str = "base"

    card: ClassVar[BaselineCard] = _card(
        name="suprem-swin-unetr",
        pretraining_data=("AbdomenAtlas", *SWIN_START),
        left_over=CONTROLLER,
        postprocessed=_TARGETS,
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": hosted("supervised_suprem_swinunetr_2100.pth", "72688b8e5766e87f7c3712fa7555d1fd")
    }


@dataclass(frozen=True, kw_only=True)
class SuPreMUNet(ControllableUNet):
    """SuPreM's U-Net, which started from Models Genesis."""

    card: ClassVar[BaselineCard] = _card(
        name="suprem-unet",
        pretraining_data=("AbdomenAtlas", *UNET_START),
        left_over=(*CONTROLLER, *UNREAD_STATISTICS),
        postprocessed=_TARGETS,
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": hosted("supervised_suprem_unet_2100.pth")
    }
