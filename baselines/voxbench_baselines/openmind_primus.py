"""OpenMind's Primus-M: a transformer from self-supervised pre-training with nnssl."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from voxbench.api import BaselineCard, Checkpoint, Published

from voxbench_baselines.nnssl import NNSSL_CONTRACT, AdaptationPlan, widened

if TYPE_CHECKING:
    from torch import Tensor
    from voxbench.toolkit import Backbone


@dataclass(frozen=True, kw_only=True)
class OpenMindPrimusM(Published):
    """Primus-M, the encoder, from masked autoencoding.

    Attributes:
        weights: a Primus-M checkpoint of nnssl's masked autoencoders. Its other objectives may
            have learnt with tokens in another order, see `voxbench.model.backbones.primus`.
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
        left_over=("decoder.*", "mask_token", "up_projection.*"),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "medium": Checkpoint.hugging_face(
            "MIC-DKFZ/PrimusM-OpenMind-MAE", "checkpoint_final.pth", file="PrimusM-OpenMind-MAE.pth"
        )
    }

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """Stem and encoder, where the plan says they lie.

        The reconstruction's own blocks, between encoder and decoder, are no part of the network;
        as the decoder learnt behind them, it is not taken either, as nnU-Net does. More channels
        share the embedding of patches.
        """
        plan = AdaptationPlan.of(published, "PrimusM")
        channels = backbone.state_dict()["encoder.down_projection.proj.weight"].shape[1]
        parts = {plan.key_to_stem: "down_projection", plan.key_to_encoder: "eva"}
        tensors = {}
        for name, tensor in published.items():
            part = next((part for part in parts if name.startswith(f"{part}.")), None)
            ours = f"encoder.{parts[part]}{name.removeprefix(part)}" if part else name
            if name.removesuffix(".weight") in plan.keys_to_in_proj:
                tensor = widened(tensor, channels // plan.pretrain_num_input_channels)
            tensors[ours] = tensor
        return tensors
