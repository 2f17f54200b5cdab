"""CT-FM: contrast of patches within a scan, on the CT of the Imaging Data Commons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, Published, Window


@dataclass(frozen=True, kw_only=True)
class CTFM(Published):
    """Its encoder, from the feature extractor, the SegResNet or the training's checkpoint.

    The decoder of `ct_fm_segresnet` was not trained; it is left out.
    """

    architecture: str = "segresnet-ds"
    size: str = "base"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="ct-fm",
        strategy="self-supervised",
        pretraining_data=("IDC-CT-148k",),
        volumes=148_394,
        licence="Apache-2.0 (model card); the repository's is MIT",
        reference="Pai et al., Vision Foundation Models for Computed Tomography, 2025",
        contract=Preprocessing(
            axes="SPL", spacing_mm=(3.0, 1.0, 1.0), intensity=Window(low=-1024, high=2048)
        ),
        channels=1,
        left_over=("projection_head.*", "up_layers.*"),
    )
    parts: ClassVar[tuple[str, ...]] = ("encoder",)
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": Checkpoint.hugging_face(
            "project-lighter/ct_fm_feature_extractor",
            "model.safetensors",
            file="ct_fm_feature_extractor.safetensors",
        )
    }
