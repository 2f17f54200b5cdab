"""DoDNet: supervised pre-training on seven partially labelled data sets (MOTS)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from baselines.suprem import hosted
from bench.api import BaselineCard, Checkpoint, Published
from bench.design.preprocessing import Preprocessing, Window

if TYPE_CHECKING:
    from torch import Tensor

    from bench.model.backbones import Backbone


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
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": hosted("supervised_dodnet_unet_920.pth")
    }

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """Its names below their parts; `controller`, `precls_conv`, `GAP` find no place there."""
        from bench.model.names import placed

        return placed(published, backbone)
