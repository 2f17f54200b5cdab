"""STU-Net: supervised pre-training on TotalSegmentator's 104 structures, in four sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, Published, ZScore

if TYPE_CHECKING:
    from torch import Tensor
    from voxbench.toolkit import Backbone

# `label_orders.json` of its repository: alphabetical, which TotalSegmentator's own order is not.
_OUTPUTS = (
    *("background", "adrenal_gland_left", "adrenal_gland_right", "aorta", "autochthon_left"),
    *("autochthon_right", "brain", "clavicula_left", "clavicula_right", "colon", "duodenum"),
    *("esophagus", "face", "femur_left", "femur_right", "gallbladder", "gluteus_maximus_left"),
    *("gluteus_maximus_right", "gluteus_medius_left", "gluteus_medius_right"),
    *("gluteus_minimus_left", "gluteus_minimus_right", "heart_atrium_left", "heart_atrium_right"),
    *("heart_myocardium", "heart_ventricle_left", "heart_ventricle_right", "hip_left", "hip_right"),
    *("humerus_left", "humerus_right", "iliac_artery_left", "iliac_artery_right"),
    *("iliac_vena_left", "iliac_vena_right", "iliopsoas_left", "iliopsoas_right"),
    *("inferior_vena_cava", "kidney_left", "kidney_right", "liver", "lung_lower_lobe_left"),
    *("lung_lower_lobe_right", "lung_middle_lobe_right", "lung_upper_lobe_left"),
    *("lung_upper_lobe_right", "pancreas", "portal_vein_and_splenic_vein", "pulmonary_artery"),
    *("rib_left_1", "rib_left_10", "rib_left_11", "rib_left_12", "rib_left_2", "rib_left_3"),
    *("rib_left_4", "rib_left_5", "rib_left_6", "rib_left_7", "rib_left_8", "rib_left_9"),
    *("rib_right_1", "rib_right_10", "rib_right_11", "rib_right_12", "rib_right_2", "rib_right_3"),
    *("rib_right_4", "rib_right_5", "rib_right_6", "rib_right_7", "rib_right_8", "rib_right_9"),
    *("sacrum", "scapula_left", "scapula_right", "small_bowel", "spleen", "stomach", "trachea"),
    *("urinary_bladder", "vertebrae_C1", "vertebrae_C2", "vertebrae_C3", "vertebrae_C4"),
    *("vertebrae_C5", "vertebrae_C6", "vertebrae_C7", "vertebrae_L1", "vertebrae_L2"),
    *("vertebrae_L3", "vertebrae_L4", "vertebrae_L5", "vertebrae_T1", "vertebrae_T10"),
    *("vertebrae_T11", "vertebrae_T12", "vertebrae_T2", "vertebrae_T3", "vertebrae_T4"),
    *("vertebrae_T5", "vertebrae_T6", "vertebrae_T7", "vertebrae_T8", "vertebrae_T9"),
)
_PAGE = "https://github.com/uni-medical/STU-Net"  # links to Google Drive and Baidu
_SIZES = ("small", "base", "large", "huge")


@dataclass(frozen=True, kw_only=True)
class STUNet(Published):
    """STU-Net after 4,000 epochs, encoder, decoder and head.

    Attributes:
        weights: a `.model` file of nnU-Net 1 or a `.pth` file of nnU-Net 2.
    """

    architecture: str = "stunet"
    size: str = "base"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="stu-net",
        strategy="supervised",
        pretraining_data=("TotalSegmentator",),
        volumes=1204,
        licence="Apache-2.0",
        reference="Huang et al., STU-Net, arXiv 2304.06716, 2023",
        # Its plan: 1.5 mm, modality "nonCT" (z-score of the whole case, nothing clipped). nnU-Net
        # keeps the order of the file, as SimpleITK's z, y, x; TotalSegmentator's files are RAS.
        contract=Preprocessing(
            axes="SAR",
            spacing_mm=(1.5, 1.5, 1.5),
            intensity=ZScore(percentiles=(0, 100)),
            crop="none",
        ),
        outputs=_OUTPUTS,
        left_over=("seg_outputs.*",),
    )
    head_layer: ClassVar[str] = "seg_outputs.4"  # at full resolution, the last of five
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        size: Checkpoint(file=f"{size}_ep4k.model", page=_PAGE) for size in _SIZES
    }

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """Its names below their parts; `seg_outputs` finds no place there.

        More channels repeat the first convolutions, as its fine-tuning does.
        """
        tensors = {**super().translate(published, backbone)}
        for name in ("conv1", "conv3"):
            stem = f"encoder.conv_blocks_context.0.0.{name}.weight"
            if stem in tensors and tensors[stem].shape[1] == 1:
                channels = backbone.state_dict()[stem].shape[1]
                tensors[stem] = tensors[stem].repeat(1, channels, 1, 1, 1)
        return tensors
