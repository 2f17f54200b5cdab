"""Merlin: an inflated ResNet-152, trained on abdominal CT with reports and diagnosis codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, Published, Window

if TYPE_CHECKING:
    from torch import Tensor
    from voxbench.toolkit import Backbone

_FILE = "i3_resnet_clinical_longformer_best_clip_04-02-2024_23-21-36_epoch_99.pt"


@dataclass(frozen=True, kw_only=True)
class Merlin(Published):
    """Its image encoder.

    Its code reads RAS volumes of 1.5 x 1.5 x 3 mm and moves the slices to the front: SRA. Here
    they are 1.5 mm as well, and the network averages them in pairs.
    """

    architecture: str = "i3d-resnet"
    size: str = "152"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="merlin",
        strategy="supervised",
        pretraining_data=("Merlin Abdominal CT", "ImageNet-1k"),
        volumes=15_331,
        licence="MIT",
        reference="Blankemeier et al., Merlin: A Vision Language Foundation Model for 3D CT, 2024",
        contract=Preprocessing(
            axes="SRA", spacing_mm=(1.5, 1.5, 1.5), intensity=Window(low=-1000, high=1000)
        ),
        channels=1,
        left_over=("classifier.*", "contrastive_head.*", "encode_text.*", "logit_scale"),
    )
    parts: ClassVar[tuple[str, ...]] = ("encoder",)
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "152": Checkpoint.hugging_face("stanfordmimi/Merlin", _FILE)
    }

    def rename(self, name: str) -> str:
        """Without the image encoder's prefix."""
        return name.removeprefix("encode_image.i3_resnet.")

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """The image encoder; its two heads and the text encoder find no place.

        It sees the volume three times, as colours; the stem is summed over them.
        """
        from voxbench.toolkit import regrey

        tensors = {**super().translate(published, backbone)}
        stem = "encoder.conv1.weight"
        if stem in tensors:
            tensors[stem] = regrey(tensors[stem], backbone.state_dict()[stem].shape[1])
        return tensors
