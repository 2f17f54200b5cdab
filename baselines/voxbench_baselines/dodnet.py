"""DoDNet: supervised pre-training on seven partially labelled data sets (MOTS)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, Published, Window

from voxbench_baselines.suprem import hosted


@dataclass(frozen=True, kw_only=True)
class DoDNet(Published):
    """DoDNet's encoder and decoder; its head, which a task code controls, is left out."""

    architecture: str = "dodnet"
    size: str = "base"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="dodnet",
        strategy="supervised",
        pretraining_data=(
            *("LiTS", "KiTS", "MSD HepaticVessel", "MSD Pancreas", "MSD Colon", "MSD Lung"),
            "MSD Spleen",
        ),
        volumes=920,
        licence="unstated; SuPreM's copy is under Apache-2.0 (its model card)",
        reference="Zhang et al., DoDNet, CVPR 2021",
        # nibabel's x, y, z arrays, transposed to z, x, y; their orientation was kept, mostly RAS
        contract=Preprocessing(
            axes="SRA",
            spacing_mm=(1.5, 0.8, 0.8),
            intensity=Window(low=-325, high=325, to=(-1, 1)),
            crop="none",
        ),
        channels=1,
        left_over=("GAP.*", "controller.*", "precls_conv.*"),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": hosted("supervised_dodnet_unet_920.pth")
    }
