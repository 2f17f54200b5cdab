"""OpenMind: self-supervised pre-training with nnssl on 114,000 MR images of head and neck."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Checkpoint

from voxbench_baselines.nnssl import (
    HEADS,
    NNSSL_CONTRACT,
    AdaptationPlan,
    OpenMind,
    released,
)
from voxbench_baselines.nnunet import once, widened

if TYPE_CHECKING:
    from torch import Tensor
    from voxbench.toolkit import Backbone

_INNER = {
    ".skip.1.conv.": ".shortcut.1.",
    ".skip.1.norm.": ".shortcut.2.",
    ".convs.0.": ".",
    ".blocks.": ".",
    ".conv1.": ".first.",
    ".conv2.": ".second.",
    ".conv.": ".0.",
    ".norm.": ".1.",
}
_DECODER = {"decoder.stages": "decoder.blocks", "decoder.transpconvs": "decoder.ups"}


@dataclass(frozen=True, kw_only=True)
class OpenMindResEncL(OpenMind):
    """ResEnc-L: the encoder and, where the objective trains one (MAE, MG, S3D, VF), the decoder.

    Attributes:
        weights: a ResEnc-L checkpoint of nnssl, whose trainer is that of `objective`.
    """

    architecture: str = "resenc-unet"
    size: str = "base"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="openmind-resenc-l",
        strategy="self-supervised",
        pretraining_data=("OpenMind",),
        volumes=114_000,
        licence="CC BY 4.0",
        reference="Wald et al., An OpenMind for 3D medical vision self-supervised learning, 2024",
        contract=NNSSL_CONTRACT,
        left_over=("*.conv.bias", "decoder.seg_layers.*", *HEADS),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        f"base {objective}": file
        for objective, file in released(
            "ResEncL", ("MAE", "MG", "S3D", "SimCLR", "SwinUNETR", "VF", "VoCo")
        ).items()
    }

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """The names of dynamic-network-architectures in ours; `seg_layers` finds no place.

        Nor do the biases before instance norms, which take them out again. What the file holds
        under a second name (`all_modules`, `decoder.encoder`) is taken once. More channels share
        the first convolution.
        """
        plan = AdaptationPlan.of(published, "ResEncL", self.objective)
        state = backbone.state_dict()
        channels = state["encoder.stem.0.weight"].shape[1]
        tensors = {}
        for name, tensor in once(published).items():
            if name.removesuffix(".weight") in plan.keys_to_in_proj:
                tensor = widened(tensor, channels // plan.pretrain_num_input_channels)
            ours = _ours(name, plan)
            tensors[ours if ours in state else name] = tensor
        return tensors


def _ours(name: str, plan: AdaptationPlan) -> str:
    for theirs, ours in _INNER.items():
        name = name.replace(theirs, ours)
    parts = {plan.key_to_stem: "encoder.stem", plan.key_to_encoder: "encoder.levels"} | _DECODER
    part = next((part for part in parts if name.startswith(f"{part}.")), "")
    return parts.get(part, "") + name.removeprefix(part)
