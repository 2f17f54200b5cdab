"""MedDINOv3: a 2D vision transformer, self-supervised on slices of CT, applied slice by slice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, Published, Window

if TYPE_CHECKING:
    from torch import Tensor
    from voxbench.toolkit import Backbone

_MEAN, _DEVIATION = 65.1084213256836, 178.01663208007812  # of its demo, in HU
_LOW, _HIGH = -1000.0, 1000.0


@dataclass(frozen=True, kw_only=True)
class MedDINOv3(Published):
    """DINOv3's ViT-B/16 after further training on 3.87 million axial slices.

    Attributes:
        weights: its `model.pth`, whose `teacher` is taken.
    """

    architecture: str = "slice-vit"
    size: str = "base"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="meddinov3",
        strategy="self-supervised",
        pretraining_data=("LVD-1689M", "CT-3M"),
        volumes=3_870_000,
        licence="Apache-2.0 (of the repository); it began with weights under the DINOv3 License",
        reference="Li et al., MedDINOv3, arXiv 2509.02379, 2025; Siméoni et al., DINOv3, 2025",
        contract=Preprocessing(
            axes="SPL",
            intensity=Window(
                low=_LOW,
                high=_HIGH,
                to=((_LOW - _MEAN) / _DEVIATION, (_HIGH - _MEAN) / _DEVIATION),
            ),
        ),
        left_over=("mask_token", "dino_head.*", "ibot_head.*"),
        note="its authors fine-tune on slices enlarged to 896 pixels, here they keep their "
        "resolution. How its slices lay is not said: rows to posterior and columns to the "
        "patient's left, as CT is shown, are assumed.",
    )
    parts: ClassVar[tuple[str, ...]] = ("encoder",)
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": Checkpoint(
            file="MedDINOv3-ViTB-16-CT-3M.pth",
            page="https://huggingface.co/ricklisz123/MedDINOv3-ViTB-16-CT-3M",
        )
    }

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """Its names below `encoder.`; the embedding of three grey channels becomes that of ours."""
        from voxbench.toolkit import regrey

        tensors = {**super().translate(published, backbone)}
        stem = "encoder.patch_embed.proj.weight"
        if stem in tensors and tensors[stem].ndim == 4:
            tensors[stem] = regrey(tensors[stem], backbone.state_dict()[stem].shape[1])
        return tensors
