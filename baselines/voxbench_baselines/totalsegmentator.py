"""TotalSegmentator's own nnU-Nets: the five parts of its task `total`, second version, 1.5 mm."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, ZScore
from voxbench.errors import WeightsError

from voxbench_baselines.nnunet import NnUNetPlan, PlainUNet

if TYPE_CHECKING:
    from torch import Tensor
    from voxbench.toolkit import Backbone

_PAGE = "https://github.com/wasserth/TotalSegmentator/releases/tag/v2.0.0-weights"
_FOLDERS = {
    "organs": "Dataset291_TotalSegmentator_part1_organs_1559subj",
    "vertebrae": "Dataset292_TotalSegmentator_part2_vertebrae_1532subj",
    "cardiac": "Dataset293_TotalSegmentator_part3_cardiac_1559subj",
    "muscles": "Dataset294_TotalSegmentator_part4_muscles_1559subj",
    "ribs": "Dataset295_TotalSegmentator_part5_ribs_1559subj",
}
_SIDES = ("left", "right")
_STRUCTURES: Mapping[str, tuple[str, ...]] = {  # `class_map_5_parts` of its code
    "organs": (
        *("spleen", "kidney_right", "kidney_left", "gallbladder", "liver", "stomach", "pancreas"),
        *("adrenal_gland_right", "adrenal_gland_left", "lung_upper_lobe_left"),
        *("lung_lower_lobe_left", "lung_upper_lobe_right", "lung_middle_lobe_right"),
        *("lung_lower_lobe_right", "esophagus", "trachea", "thyroid_gland", "small_bowel"),
        *("duodenum", "colon", "urinary_bladder", "prostate", "kidney_cyst_left"),
        "kidney_cyst_right",
    ),
    "vertebrae": (
        *("sacrum", "vertebrae_S1", *(f"vertebrae_L{i}" for i in range(5, 0, -1))),
        *(f"vertebrae_T{i}" for i in range(12, 0, -1)),
        *(f"vertebrae_C{i}" for i in range(7, 0, -1)),
    ),
    "cardiac": (
        *("heart", "aorta", "pulmonary_vein", "brachiocephalic_trunk", "subclavian_artery_right"),
        *("subclavian_artery_left", "common_carotid_artery_right", "common_carotid_artery_left"),
        *("brachiocephalic_vein_left", "brachiocephalic_vein_right", "atrial_appendage_left"),
        *("superior_vena_cava", "inferior_vena_cava", "portal_vein_and_splenic_vein"),
        *(f"iliac_{vessel}_{side}" for vessel in ("artery", "vena") for side in _SIDES),
    ),
    "muscles": (
        *(f"{bone}_{side}" for bone in ("humerus", "scapula", "clavicula") for side in _SIDES),
        *(f"{bone}_{side}" for bone in ("femur", "hip") for side in _SIDES),
        "spinal_cord",
        *(f"gluteus_{part}_{side}" for part in ("maximus", "medius", "minimus") for side in _SIDES),
        *(f"{muscle}_{side}" for muscle in ("autochthon", "iliopsoas") for side in _SIDES),
        *("brain", "skull"),
    ),
    "ribs": (
        *(f"rib_{side}_{i}" for side in _SIDES for i in range(1, 13)),
        *("sternum", "costal_cartilages"),
    ),
}
_MOST = 0.5


@dataclass(frozen=True, kw_only=True)
class TotalSegmentator(PlainUNet):
    """One of the five networks that together segment the 117 structures of `total`.

    Spacing and intensities are those that the file's plans tell; where it isn't here yet, the card
    has what is known without it.

    Attributes:
        part: whose structures it learnt: organs, vertebrae, cardiac, muscles or ribs.
        weights: `fold_0/checkpoint_final.pth` of the unpacked archive.
    """

    part: str = "organs"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="totalsegmentator",
        strategy="supervised",
        pretraining_data=("TotalSegmentator-1559",),
        volumes=1559,
        licence="Apache-2.0",
        reference="Wasserthal et al., TotalSegmentator, Radiology: AI 2023 (the networks: version "
        "2; Isensee et al., nnU-Net, Nature Methods 2021)",
        contract=Preprocessing(axes="SAR", spacing_mm=(1.5, 1.5, 1.5), intensity=ZScore()),
        left_over=("decoder.seg_layers.*",),
        note="the paper's numbers are of version 1. Where networks of several parts claim a "
        "voxel the authors' inference lets the later part have it; `direct` runs one network.",
    )
    files_by: ClassVar[tuple[str, ...]] = ("size", "part")
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        f"base {part}": Checkpoint(file=f"{folder}.pth", page=_PAGE)
        for part, folder in _FOLDERS.items()
    }

    def __post_init__(self) -> None:
        """Take over what the part and, if it is here, the file say.

        Raises:
            ValueError: unknown part.
            WeightsError: the file is no checkpoint of nnU-Net, or of another part.
        """
        if self.part not in _STRUCTURES:
            raise ValueError(f"part must be one of {', '.join(_STRUCTURES)}, got {self.part!r}")
        facts: dict[str, object] = {"outputs": ("background", *_STRUCTURES[self.part])}
        facts["volumes"] = int(_FOLDERS[self.part].rpartition("_")[2].removesuffix("subj"))
        if contract := self._contract():
            facts["contract"] = contract
        object.__setattr__(self, "card", type(self).card.model_copy(update=facts))

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """As every plain U-Net's, if the file's labels are those of the part.

        Raises:
            WeightsError: the file has no plans, or the labels of something else.
        """
        labels = NnUNetPlan.of(getattr(published, "beside", {})).dataset_json.labels
        structures = _STRUCTURES[self.part]
        if len(labels.keys() & set(structures)) < _MOST * len(structures):
            raise WeightsError(
                f"the file's labels are {', '.join(list(labels)[:4])}, … and not those of part "
                f"{self.part}: {', '.join(structures[:3])}, …"
            )
        return super().translate(published, backbone)

    def _contract(self) -> Preprocessing | None:
        from voxbench.toolkit import read_settings

        try:
            path = self.file()
        except WeightsError:
            return None
        return NnUNetPlan.of(read_settings(path)).contract if path.is_file() else None
