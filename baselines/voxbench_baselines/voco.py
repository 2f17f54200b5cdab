"""VoCo, second version: volume contrast on 160,000 CT volumes; VoComni adds labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from voxbench.api import BaselineCard, Checkpoint, Published

from voxbench_baselines.nnunet import PlainUNet
from voxbench_baselines.universal_model import UNIVERSAL_CONTRACT

_REFERENCE = "Wu et al., Large-Scale 3D Medical Image Pre-training, TPAMI 2026 (VoCo: CVPR 2024)"

_PROJECTIONS = ("proj_head.*", "student.*", "teacher.*")


_hosted = partial(Checkpoint.hugging_face, "Luffy503/VoCo")


@dataclass(frozen=True, kw_only=True)
class VoCo(Published):
    """The encoder of Swin UNETR's second version, trained to tell where a crop lies."""

    architecture: str = "swin-unetr"
    size: str = "base-v2"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="voco",
        strategy="self-supervised",
        pretraining_data=("PreCT-160K",),
        volumes=160_000,
        licence="Apache-2.0 (of the repository)",
        reference=_REFERENCE,
        contract=UNIVERSAL_CONTRACT,  # its code has the Universal Model's grid and window
        channels=1,
        left_over=_PROJECTIONS,
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base-v2": _hosted("VoCo_B_SSL_head.pt", "f80c4da2f81d700bdae3df188f2057eb"),
        "large-v2": _hosted("VoCo_L_SSL_head.pt"),
        "huge-v2": _hosted("VoCo_H_SSL_head.pt"),
    }


@dataclass(frozen=True, kw_only=True)
class VoComni(VoCo):
    """The whole network, trained with contrast and with pseudo-labels of 20,000 volumes."""

    card: ClassVar[BaselineCard] = BaselineCard(
        name="vocomni",
        strategy="supervised",
        pretraining_data=("PreCT-160K", "VoComni"),
        volumes=160_000,
        licence="Apache-2.0 (of the repository)",
        reference=_REFERENCE,
        contract=UNIVERSAL_CONTRACT,
        channels=1,
        left_over=("out.*", *_PROJECTIONS),
        # `VoComni.json`, in the order of its numbers
        outputs=(
            *("background", "spleen", "kidney_right", "kidney_left", "gall_bladder", "esophagus"),
            *("liver", "stomach", "aorta", "postcava", "portal_vein_and_splenic_vein", "pancreas"),
            *("adrenal_gland_right", "adrenal_gland_left", "liver_tumor", "pancreas_tumor"),
            *("kidney_tumor", "covid_lesion", "colon", "colon_tumor", "lung_tumor"),
        ),
    )
    head_layer: ClassVar[str] = "out.conv.conv"
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base-v2": _hosted("VoComni_B.pt"),
        "large-v2": _hosted("VoComni_L.pt"),
        "huge-v2": _hosted("VoComni_H.pt"),
    }


@dataclass(frozen=True, kw_only=True)
class VoComniNnUNet(PlainUNet):
    """nnU-Net's plain U-Net, trained as VoComni with MONAI; only grid and window are MONAI's."""

    card: ClassVar[BaselineCard] = VoComni.card.model_copy(
        update={
            "name": "vocomni-nnunet",
            "left_over": ("decoder.seg_layers.*", *_PROJECTIONS),
            "note": "its authors fine-tune it with nnU-Net's own preparation, not with the one it "
            "was trained with, which they say may cost some of its use.",
        }
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {"base": _hosted("VoComni_nnunet.pt")}
