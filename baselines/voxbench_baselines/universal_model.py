"""The CLIP-driven Universal Model: 32 organs and tumours, a text embedding for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, Published, Window

from voxbench_baselines.genesis import UNREAD_STATISTICS

if TYPE_CHECKING:
    from torch import Tensor, nn
    from voxbench.toolkit import Backbone

DIRECT = (
    "Direct inference gives each voxel to the likeliest of the task's classes whose sigmoid is "
    "above 0.5. The authors' own decides each structure alone, keeps its largest component and "
    "lets structures overlap"
)
_NOTE = f"{DIRECT}; it looks for tumours within their organ. The paper tells of 3,410 CT in all."
CONTROLLER = ("GAP.*", "controller.*", "organ_embedding*", "precls_conv.*", "text_to_vision.*")
"""Names of its head."""

# The template of its code, in order, under AbdomenAtlas' names.
UNIVERSAL_OUTPUTS = (
    *("spleen", "kidney_right", "kidney_left", "gall_bladder", "esophagus", "liver", "stomach"),
    *("aorta", "postcava", "portal_vein_and_splenic_vein", "pancreas", "adrenal_gland_right"),
    *("adrenal_gland_left", "duodenum", "hepatic_vessel", "lung_right", "lung_left", "colon"),
    *("intestine", "rectum", "bladder", "prostate", "femur_left", "femur_right", "celiac_trunk"),
    *("kidney_tumor", "liver_tumor", "pancreas_tumor", "hepatic_vessel_tumor", "lung_tumor"),
    *("colon_tumor", "kidney_cyst"),
)
UNIVERSAL_CONTRACT = Preprocessing(
    axes="RAS", spacing_mm=(1.5, 1.5, 1.5), intensity=Window(low=-175, high=250)
)
universal_card = partial(
    BaselineCard,
    strategy="supervised",
    volumes=2100,  # of its list for training, `PAOT_train.txt`; AbdomenAtlas' are as many
    contract=UNIVERSAL_CONTRACT,
    channels=1,
    outputs=UNIVERSAL_OUTPUTS,
)
# The lists of its code: `dataset/dataset_list/PAOT.txt`.
_CORPORA = (
    *("BTCV", "Pancreas-CT", "CHAOS", "LiTS", "KiTS", "WORD", "AbdomenCT-1K", "AMOS", "CT-ORG"),
    *("AbdomenCT-12organ", "MSD Liver", "MSD Lung", "MSD Pancreas", "MSD HepaticVessel"),
    *("MSD Spleen", "MSD Colon"),
)
# Its training starts from other published weights, which have seen these.
SWIN_START = ("LUNA16", "TCIA COVID-19", "HNSCC", "CT Colonography", "LIDC-IDRI", "BTCV")
UNET_START = ("LUNA16",)
_REFERENCE = (
    "Liu et al., CLIP-Driven Universal Model for Organ Segmentation and Tumor Detection, ICCV 2023"
)
_card = partial(
    universal_card,
    licence="CC BY-NC-ND 4.0 (of the repository)",
    reference=_REFERENCE,
    note=_NOTE,
)
_HOST = "ljwztc/CLIP-Driven-Universal-Model"


@dataclass(frozen=True, kw_only=True)
class Controllable(Published):
    """A published network under the Universal Model's head."""

    head_layer: ClassVar[str] = "controller"

    def head(self, published: Mapping[str, "Tensor"], backbone: "Backbone") -> "nn.Module":
        """The controller, which makes a small network for each organ."""
        from voxbench.toolkit import ControlledHead

        return ControlledHead(published, self.card.outputs)


@dataclass(frozen=True, kw_only=True)
class ControllableUNet(Controllable):
    """The U-Net of Models Genesis under that head."""

    architecture: str = "unet3d"
    size: str = "base"


@dataclass(frozen=True, kw_only=True)
class UniversalModelSwinUNETR(Controllable):
    """Its Swin UNETR.

    Attributes:
        weights: such a file; SuPreM's copy, `supervised_clip_driven_universal_swin_unetr_2100.pth`,
            is read as well.
    """

    architecture: str = "swin-unetr"
    size: str = "base"

    card: ClassVar[BaselineCard] = _card(
        name="universal-model-swin-unetr",
        pretraining_data=tuple(dict.fromkeys(_CORPORA + SWIN_START)),
        left_over=(*CONTROLLER, "out.*"),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": Checkpoint.hugging_face(
            _HOST, "clip_driven_universal_swin_unetr.pth", "1ad7a68e904cee85141b05c6bf646ace"
        )
    }


@dataclass(frozen=True, kw_only=True)
class UniversalModelUNet(ControllableUNet):
    """Its U-Net, which started from Models Genesis.

    Attributes:
        weights: such a file; SuPreM's copy, `supervised_clip_driven_universal_unet_2100.pth`, is
            read as well.
    """

    card: ClassVar[BaselineCard] = _card(
        name="universal-model-unet",
        pretraining_data=_CORPORA + UNET_START,
        left_over=(*CONTROLLER, "out_tr.*", *UNREAD_STATISTICS),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": Checkpoint.hugging_face(_HOST, "clip_driven_universal_unet.pth")
    }
