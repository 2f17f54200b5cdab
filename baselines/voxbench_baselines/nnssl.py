"""What the checkpoints of nnssl have in common; no baseline of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ValidationError
from voxbench.api import Checkpoint, Preprocessing, Published, ZScore, added
from voxbench.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

_SPACING = (1.0, 1.0, 1.0)
# the order of the files is kept, as z, y, x; most are RAS
NNSSL_CONTRACT = Preprocessing(
    axes="SAR", spacing_mm=_SPACING, intensity=ZScore(percentiles=(0, 100))
)

HEADS = (
    *("projector.*", "rotation_proj_head.*", "contrast_proj_head.*", "recon_proj_head.*"),
    "*mask_token",
)
"""What the objectives train beside the network."""
_TRAINERS = {  # how the names of their classes begin
    "MAE": ("BaseMAE", "BaseEvaMAE"),
    "MG": ("ModelGenesis",),
    "S3D": ("Spark",),
    "SimCLR": ("SimCLR",),
    "SimMIM": ("SimMIM",),
    "SwinUNETR": ("SwinUNETR",),
    "VF": ("VolumeFusion",),
    "VoCo": ("VoCo",),
}


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
    def of(
        cls, published: Mapping[str, "Tensor"], architecture: str, objective: str
    ) -> "AdaptationPlan":
        """The plan beside a file's tensors.

        Raises:
            WeightsError: there is none, or it is of another network, grid, normalisation or
                objective.
        """
        beside = getattr(published, "beside", {})
        try:
            plan = cls.model_validate(beside["nnssl_adaptation_plan"])
        except (KeyError, ValidationError) as error:
            raise WeightsError(
                "the file has no readable `nnssl_adaptation_plan`: it is no checkpoint of nnssl, "
                "or an old one; nnssl can add the plan."
            ) from error
        if (found := plan.architecture_plans.arch_class_name) != architecture:
            raise WeightsError(f"the file's plan says {found}, this baseline is {architecture}.")
        trainer = str(beside.get("trainer_name"))
        if not trainer.startswith(_TRAINERS[objective]):
            raise WeightsError(
                f"the file's trainer_name is {trainer}, which is not objective {objective}: the "
                "nnssl trainers of that begin with " + " or ".join(_TRAINERS[objective]) + "."
            )
        configurations = plan.pretrain_plan.configurations.values()
        if not any(
            c.spacing == _SPACING and c.normalization_schemes == ("ZScoreNormalization",)
            for c in configurations
        ):
            raise WeightsError(
                f"the file's plan has no configuration with spacing {_SPACING} mm and z-scores, "
                "which the baseline's card says it was trained with."
            )
        return plan._as_read(published)

    def _as_read(self, published: Mapping[str, "Tensor"]) -> "AdaptationPlan":
        """Names without the prefix that was stripped when the file was read."""
        layout = getattr(published, "layout", None)
        prefix = layout.prefixes[0] if layout and layout.prefixes else ""
        first = tuple(name.removeprefix(prefix) for name in self.keys_to_in_proj)
        encoder, stem = (
            key.removeprefix(prefix) for key in (self.key_to_encoder, self.key_to_stem)
        )
        names = {"key_to_encoder": encoder, "key_to_stem": stem, "keys_to_in_proj": first}
        return self.model_copy(update=names)


@dataclass(frozen=True, kw_only=True)
class OpenMind(Published):
    """A network that nnssl pre-trained on OpenMind, with one of its objectives.

    Attributes:
        objective: of pre-training: MAE (masked autoencoder), MG (Models Genesis), S3D (sparse
            masked autoencoder, SparK), SimCLR, SimMIM, SwinUNETR (its three tasks), VF
            (VolumeFusion) or VoCo.
    """

    objective: str = added("MAE")

    files_by: ClassVar[tuple[str, ...]] = ("size", "objective")

    def __post_init__(self) -> None:
        """Refuse an objective that isn't published, or of a network of another size.

        Raises:
            ValueError: it names what there is.
        """
        size_of = {name: size for size, name in map(str.split, self.checkpoints)}
        if self.objective not in size_of:
            raise ValueError(
                f"objective must be one of {', '.join(sorted(size_of))}, got {self.objective!r}"
            )
        needed = size_of[self.objective]
        if self.size in size_of.values() and self.size != needed:
            raise ValueError(
                f"size must be {needed} for objective {self.objective}, whose network is another "
                f"than that of {self.size}"
            )


def released(model: str, objectives: Iterable[str]) -> dict[str, Checkpoint]:
    """The files of a model by objective, each in a repository of its own."""
    return {
        objective: Checkpoint.hugging_face(
            # where each was seen; the one owner's address leads to the other's
            f"{'MIC-DKFZ' if objective == 'MAE' else 'AnonRes'}/{model}-OpenMind-{objective}",
            "checkpoint_final.pth",
            file=f"{model}-OpenMind-{objective}.pth",
        )
        for objective in objectives
    }
