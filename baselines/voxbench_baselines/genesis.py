"""Genesis Chest CT: the released Models Genesis. The objective itself is `models-genesis`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, Published, Window

UNREAD_STATISTICS = ("*.running_mean", "*.running_var")
"""Published tensors that `unet3d` never reads: its norms keep no statistics."""


@dataclass(frozen=True, kw_only=True)
class GenesisChestCT(Published):
    """A U-Net that learnt to restore distorted cubes of chest CT, encoder and decoder.

    Attributes:
        weights: such a file; SuPreM's copy, `self_supervised_models_genesis_unet_620.pt`, is read
            as well.
    """

    architecture: str = "unet3d"
    size: str = "base"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="genesis-chest-ct",
        strategy="self-supervised",
        pretraining_data=("LUNA16",),
        volumes=623,
        licence="Arizona State University's, non-commercial research only",
        reference="Zhou et al., Models Genesis, Medical Image Analysis 2021",
        # SimpleITK's arrays, transposed to x, y, z of LPS images; their spacing was kept
        contract=Preprocessing(axes="LPS", intensity=Window(low=-1000, high=1000), crop="none"),
        channels=1,
        left_over=("out_tr.*", *UNREAD_STATISTICS),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": Checkpoint(
            file="Genesis_Chest_CT.pt",
            url="https://huggingface.co/MrGiovanni/ModelsGenesis/resolve/main/Genesis_Chest_CT.pt",
            page="https://github.com/MrGiovanni/ModelsGenesis",
        )
    }
