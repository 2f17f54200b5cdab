"""MedicalNet (Med3D): ResNets trained to segment eight, later 23, data sets of CT and MR."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, Published, ZScore

_card = partial(
    BaselineCard,
    strategy="supervised",
    licence="MIT",
    reference="Chen, Ma and Zheng, Med3D: Transfer Learning for 3D Medical Image Analysis, 2019",
    # Its code takes arrays depth first and says no more about axes: slices as DICOM orders them.
    # Each data set kept its own median spacing.
    contract=Preprocessing(axes="SPL", intensity=ZScore(nonzero=True)),
    channels=1,
    left_over=("conv_seg.*",),
)


def _hosted(depth: str, suffix: str = "") -> Checkpoint:
    repository = f"TencentMedicalNet/MedicalNet-Resnet{depth}"
    return Checkpoint.hugging_face(repository, f"resnet_{depth}{suffix}.pth")


@dataclass(frozen=True, kw_only=True)
class MedicalNet(Published):
    """The weights from eight data sets, in every depth.

    Attributes:
        weights: such a file; the one beside SuPreM's, `supervised_med3D_residual_unet_1623.pth`,
            is that of depth 101: its 85.75M parameters are the network's with its head.
    """

    architecture: str = "medicalnet"
    size: str = "50"

    card: ClassVar[BaselineCard] = _card(
        name="medicalnet", pretraining_data=("3DSeg-8",), volumes=1638
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        depth: _hosted(depth) for depth in ("10", "18", "34", "50", "101", "152", "200")
    }


@dataclass(frozen=True, kw_only=True)
class MedicalNet23(MedicalNet):
    """The weights from 23 data sets, of depth 10 to 50."""

    card: ClassVar[BaselineCard] = _card(
        name="medicalnet-23", pretraining_data=("3DSeg-8", "MedicalNet 23")
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        depth: _hosted(depth, "_23dataset") for depth in ("10", "18", "34", "50")
    }
