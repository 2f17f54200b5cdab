"""Swin UNETR, self-supervised: NVIDIA's files and those of Disruptive Autoencoders."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, Published, Window
from voxbench.errors import WeightsError

from voxbench_baselines.suprem import hosted
from voxbench_baselines.universal_model import SWIN_START

_TANG = "Tang et al., Self-Supervised Pre-Training of Swin Transformers, CVPR 2022"
_CODE = "https://github.com/Project-MONAI/research-contributions"
_RELEASE = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1"


@dataclass(frozen=True, kw_only=True)
class SwinUNETR5050(Published):
    """The network that SuPreM, VoCo and others compare as «Swin UNETR, 5,050 volumes».

    The file has a decoder and a head, which self-supervision did not make: it is NVIDIA's model
    after BTCV, as far as its layout tells. So BTCV is among what it has seen, and the contract
    is that of its BTCV code. It is filed where the field files it, as self-supervised;
    `decoder = false` comes nearer to that.
    """

    architecture: str = "swin-unetr"
    size: str = "base"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="swin-unetr-5050",
        strategy="self-supervised",
        pretraining_data=SWIN_START,
        volumes=5050,
        gpu_hours=1152,  # as SuPreM's paper states it, of the pre-training on 5,050 CT
        licence="Apache-2.0",
        reference=_TANG,
        contract=Preprocessing(
            axes="RAS", spacing_mm=(1.5, 1.5, 2.0), intensity=Window(low=-175, high=250)
        ),
        channels=1,
        left_over=("out.*",),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": hosted("self_supervised_nv_swin_unetr_5050.pt")
    }


@dataclass(frozen=True, kw_only=True)
class SwinUNETRTang(SwinUNETR5050):
    """The original file of the transformer alone, a fifth of what is the encoder here.

    The convolutions of the skips, `encoder1…10`, start at random, as its authors had it.
    """

    card: ClassVar[BaselineCard] = BaselineCard(
        name="swin-unetr-tang",
        strategy="self-supervised",
        pretraining_data=tuple(name for name in SWIN_START if name != "BTCV"),
        volumes=5050,
        gpu_hours=1152,
        licence="Apache-2.0",
        reference=_TANG,
        contract=Preprocessing(axes="RAS", intensity=Window(low=-1000, high=1000)),
        channels=1,
        left_over=("norm.*", "rotation_head.*", "contrastive_head.*", "conv.*"),
        min_loaded=0.18,
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": Checkpoint(file="model_swinvit.pt", url=f"{_RELEASE}/model_swinvit.pt", page=_CODE)
    }

    def rename(self, name: str) -> str:
        """MONAI's name of a tensor."""
        name = name.replace("swin_vit.", "swinViT.").replace("mlp.fc", "mlp.linear")
        return f"swinViT.{name}" if name.startswith(("patch_embed.", "layers")) else name


@dataclass(frozen=True, kw_only=True)
class SwinUNETRDAE(SwinUNETR5050):
    """Disruptive Autoencoders: the whole network, trained to undo noise, blur and masks."""

    card: ClassVar[BaselineCard] = BaselineCard(
        name="swin-unetr-dae",
        strategy="self-supervised",
        pretraining_data=(*(n for n in SWIN_START if n != "BTCV"), "BraTS 2021", "DAE-50000"),
        volumes=50_000,  # as SuPreM's table counts them, CT and MR
        licence="Apache-2.0",
        reference="Valanarasu et al., Disruptive Autoencoders, MIDL 2024",
        contract=Preprocessing(axes="RAS", intensity=Window(low=-1000, high=1000)),
        channels=1,
        left_over=("encoder.mask_token", "encoder.norm.*", "out.*"),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": hosted("self_supervised_nv_swin_unetr_50000.pth")
    }

    def rename(self, name: str) -> str:
        """MONAI's name of a tensor of the transformer, which the file calls encoder.

        Raises:
            WeightsError: it has MONAI's name already, so the file is another's.
        """
        if name.startswith("swinViT."):
            raise WeightsError(f"{name} and others are MONAI's names, not those of this file.")
        name = re.sub(r"^encoder\.(layers\d\.0)\.0\.", r"swinViT.\1.", name)
        name = re.sub(r"^encoder\.patch_embed\.", "swinViT.patch_embed.", name)
        return name.replace("mlp.fc", "mlp.linear")
