"""OpenMind's Primus-M: a transformer from self-supervised pre-training with nnssl."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from voxbench.api import BaselineCard, Checkpoint

from voxbench_baselines.nnssl import (
    HEADS,
    NNSSL_CONTRACT,
    AdaptationPlan,
    OpenMind,
    released,
)
from voxbench_baselines.nnunet import widened

if TYPE_CHECKING:
    from torch import Tensor
    from voxbench.toolkit import Backbone

_OBJECTIVES = {
    "medium": ("MAE", "MG", "SimMIM", "SwinUNETR", "VF"),
    "medium-64": ("SimCLR", "VoCo"),
}


@dataclass(frozen=True, kw_only=True)
class OpenMindPrimusM(OpenMind):
    """Primus-M, the encoder.

    VoCo and SimCLR learnt the positions of 8x8x8 tokens (size "medium-64"), the others those of
    20x20x20 (size "medium").

    Attributes:
        weights: a Primus-M checkpoint of nnssl, whose trainer is that of `objective`.
    """

    architecture: str = "primus"
    size: str = "medium"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="openmind-primus-m",
        strategy="self-supervised",
        pretraining_data=("OpenMind",),
        volumes=114_000,
        licence="CC BY 4.0",
        reference="Wald et al., Primus: Enforcing attention usage for 3D medical image "
        "segmentation, 2025; An OpenMind for 3D medical vision self-supervised learning, 2024",
        contract=NNSSL_CONTRACT,
        left_over=("decoder.*", "up_projection.*", *HEADS),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        f"{size} {objective}": file
        for size, objectives in _OBJECTIVES.items()
        for objective, file in released("PrimusM", objectives).items()
    }

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """Stem and encoder, where the plan says they lie.

        The reconstruction's own blocks, between encoder and decoder, are no part of the network;
        as the decoder learnt behind them, it is not taken either, as nnU-Net does. More channels
        share the embedding of patches. SimMIM's tokens are brought into our order.
        """
        plan = AdaptationPlan.of(published, "PrimusM", self.objective)
        channels = backbone.state_dict()["encoder.down_projection.proj.weight"].shape[1]
        parts = {plan.key_to_stem: "down_projection", plan.key_to_encoder: "eva"}
        tensors = {}
        for name, tensor in published.items():
            part = next((part for part in parts if name.startswith(f"{part}.")), None)
            ours = f"encoder.{parts[part]}{name.removeprefix(part)}" if part else name
            if name.removesuffix(".weight") in plan.keys_to_in_proj:
                tensor = widened(tensor, channels // plan.pretrain_num_input_channels)
            tensors[ours] = tensor
        if self.objective == "SimMIM":
            return {name: _reordered(name, t, backbone) for name, t in tensors.items()}
        return tensors


def _reordered(name: str, tensor: "Tensor", backbone: "Backbone") -> "Tensor":
    """The same function for tokens whose first two axes are exchanged, as all but SimMIM had them.

    Positions move with their tokens. A third of each head's queries and keys turns with the place
    along each axis: the first two thirds change places.
    """
    if name == "encoder.eva.pos_embed":
        side = round(tensor.shape[1] ** (1 / 3))
        return tensor.reshape(side, side, side, -1).transpose(0, 1).reshape(tensor.shape)
    if name.startswith("encoder.eva.blocks.") and (".q_proj." in name or ".k_proj." in name):
        heads = cast("int", backbone.get_submodule("encoder.eva.blocks.0.attn").heads)
        thirds = tensor.reshape([heads, 3, -1, *tensor.shape[1:]])
        return thirds[:, [1, 0, 2]].reshape(tensor.shape)
    return tensor
