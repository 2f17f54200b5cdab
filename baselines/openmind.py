"""OpenMind: self-supervised pre-training with nnssl on 114,000 MR images of head and neck."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ValidationError

from bench.api import BaselineCard, Checkpoint, Published
from bench.design.preprocessing import Preprocessing, ZScore
from bench.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

    from bench.model.backbones import Backbone

SPACING = (1.0, 1.0, 1.0)
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


class _Architecture(BaseModel):
    arch_class_name: str


class _Configuration(BaseModel):
    spacing: tuple[float, float, float] | None
    normalization_schemes: tuple[str, ...]


class _PretrainPlan(BaseModel):
    configurations: dict[str, _Configuration]


class AdaptationPlan(BaseModel):
    """What an nnssl checkpoint says of itself, as far as it is needed here.

    Attributes:
        architecture_plans, pretrain_plan: name of the network; spacing and normalisation.
        pretrain_num_input_channels: of the first convolution.
        key_to_encoder: prefix of the encoder's tensors, without the stem.
        key_to_stem: prefix of the stem's.
        keys_to_in_proj: names of the first convolution.
    """

    architecture_plans: _Architecture
    pretrain_plan: _PretrainPlan
    pretrain_num_input_channels: int
    key_to_encoder: str
    key_to_stem: str
    keys_to_in_proj: tuple[str, ...]

    @classmethod
    def of(cls, published: Mapping[str, "Tensor"], architecture: str) -> "AdaptationPlan":
        """The plan beside a file's tensors.

        Raises:
            WeightsError: there is none, or it is of another network, grid or normalisation.
        """
        try:
            plan = cls.model_validate(getattr(published, "beside", {})["nnssl_adaptation_plan"])
        except (KeyError, ValidationError) as error:
            raise WeightsError(
                "the file has no readable `nnssl_adaptation_plan`: it is no checkpoint of nnssl, "
                "or an old one; nnssl can add the plan."
            ) from error
        if (found := plan.architecture_plans.arch_class_name) != architecture:
            raise WeightsError(f"the file's plan says {found}, this baseline is {architecture}.")
        configurations = plan.pretrain_plan.configurations.values()
        if not any(
            c.spacing == SPACING and c.normalization_schemes == ("ZScoreNormalization",)
            for c in configurations
        ):
            raise WeightsError(
                f"the file's plan has no configuration with spacing {SPACING} mm and z-scores, "
                "which the baseline's card says it was trained with."
            )
        return plan


@dataclass(frozen=True, kw_only=True)
class OpenMindResEncL(Published):
    """ResEnc-L, encoder and decoder, from masked autoencoding.

    Attributes:
        weights: a ResEnc-L checkpoint of nnssl, of any of its objectives.
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
        # the order of the files is kept, as z, y, x; most are RAS
        contract=Preprocessing(
            axes="SAR", spacing_mm=SPACING, intensity=ZScore(percentiles=(0, 100))
        ),
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": Checkpoint(
            file="ResEncL-OpenMind-MAE.pth",
            url="https://huggingface.co/MIC-DKFZ/ResEncL-OpenMind-MAE/resolve/main/checkpoint_final.pth",
            page="https://huggingface.co/MIC-DKFZ/ResEncL-OpenMind-MAE",
        )
    }

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """The names of dynamic-network-architectures in ours; `seg_layers` finds no place.

        Left out are its copies (`all_modules`, `decoder.encoder`) and the biases before instance
        norms, which take them out again. More channels share the first convolution.
        """
        plan = AdaptationPlan.of(published, "ResEncL")
        channels = backbone.state_dict()["encoder.stem.0.weight"].shape[1]
        tensors = {}
        for name, tensor in published.items():
            copied = ".all_modules." in name or name.startswith("decoder.encoder.")
            if copied or name.endswith(".conv.bias"):
                continue
            if name.removesuffix(".weight") in plan.keys_to_in_proj:
                tensor = _shared(tensor, channels // plan.pretrain_num_input_channels)
            tensors[_ours(name, plan)] = tensor
        return tensors


@dataclass(frozen=True, kw_only=True)
class OpenMindPrimusM(Published):
    """Primus-M, the encoder, from masked autoencoding.

    Attributes:
        weights: a Primus-M checkpoint of nnssl's masked autoencoders. Its other objectives may
            have learnt with tokens in another order, see `bench.model.backbones.primus`.
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
        contract=OpenMindResEncL.card.contract,
    )
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "medium": Checkpoint(
            file="PrimusM-OpenMind-MAE.pth",
            url="https://huggingface.co/MIC-DKFZ/PrimusM-OpenMind-MAE/resolve/main/checkpoint_final.pth",
            page="https://huggingface.co/MIC-DKFZ/PrimusM-OpenMind-MAE",
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
                tensor = _shared(tensor, channels // plan.pretrain_num_input_channels)
            tensors[ours] = tensor
        return tensors


def _shared(tensor: "Tensor", repeats: int) -> "Tensor":
    """A first convolution for more channels that gives, on equal ones, what it gave on one."""
    return tensor.repeat(1, repeats, 1, 1, 1) / repeats


def _ours(name: str, plan: AdaptationPlan) -> str:
    for theirs, ours in _INNER.items():
        name = name.replace(theirs, ours)
    parts = {plan.key_to_stem: "encoder.stem", plan.key_to_encoder: "encoder.levels"} | _DECODER
    part = next((part for part in parts if name.startswith(f"{part}.")), "")
    return parts.get(part, "") + name.removeprefix(part)
