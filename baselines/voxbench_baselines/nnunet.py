"""What the checkpoints of nnU-Net's second version have in common; no baseline of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import AliasChoices, BaseModel, Field, ValidationError
from voxbench.api import Preprocessing, Published, Window, ZScore
from voxbench.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor
    from voxbench.toolkit import Backbone


class _Configuration(BaseModel):
    spacing: tuple[float, float, float]
    normalization_schemes: tuple[str, ...]


class _Intensities(BaseModel):
    mean: float
    std: float = Field(gt=0)
    percentile_00_5: float
    percentile_99_5: float


class _Plans(BaseModel):
    configurations: dict[str, dict[str, Any]]
    intensities: dict[str, _Intensities] = Field(
        validation_alias=AliasChoices(
            "foreground_intensity_properties_per_channel",
            "foreground_intensity_properties_by_modality",  # of its first releases
        )
    )


class _Dataset(BaseModel):
    labels: dict[str, Any]


class NnUNetPlan(BaseModel):
    """What an nnU-Net checkpoint says of its training: `init_args`, as far as it is needed here.

    Attributes:
        plans: configurations by name; statistics of the foreground's intensities by channel.
        configuration: the one that it was trained in.
        dataset_json: names of the labels.
    """

    plans: _Plans
    configuration: str
    dataset_json: _Dataset

    @classmethod
    def of(cls, beside: Mapping[str, Any]) -> "NnUNetPlan":
        """The plan beside a file's tensors.

        Raises:
            WeightsError: there is none.
        """
        try:
            return cls.model_validate(beside["init_args"])
        except (KeyError, ValidationError) as error:
            raise WeightsError(
                "the file has no readable plans in `init_args`: it is no checkpoint of nnU-Net 2, "
                "or was stripped of them; take its `checkpoint_final.pth` as it is published."
            ) from error

    @property
    def contract(self) -> Preprocessing:
        """Grid and intensities of its images, whose axes are z, y, x and whose files are RAS.

        Raises:
            WeightsError: a normalisation that nnU-Net doesn't have for CT and MR.
        """
        try:
            told = _Configuration.model_validate(self.plans.configurations[self.configuration])
            scheme = told.normalization_schemes[0]
            if scheme == "ZScoreNormalization":
                intensity: Window | ZScore = ZScore(percentiles=(0, 100))
            elif scheme == "CTNormalization":
                intensity = _window(self.plans.intensities["0"])
            else:
                raise WeightsError(f"the file's plans have {scheme}, which voxbench has not.")
        except (KeyError, IndexError, ValidationError) as error:
            raise WeightsError(
                f"the file's plans don't tell spacing and intensities of {self.configuration}."
            ) from error
        return Preprocessing(axes="SAR", spacing_mm=told.spacing, intensity=intensity)


def _window(told: _Intensities) -> Window:
    """Clipped to percentiles of all foreground, less its mean, by its deviation."""
    low, high = told.percentile_00_5, told.percentile_99_5
    scaled = ((low - told.mean) / told.std, (high - told.mean) / told.std)
    return Window(low=low, high=high, to=scaled)


@dataclass(frozen=True, kw_only=True)
class PlainUNet(Published):
    """nnU-Net's plain U-Net, encoder, decoder and head."""

    architecture: str = "nnunet"
    size: str = "base"

    head_layer: ClassVar[str] = "decoder.seg_layers.4"  # at full resolution, the last of five

    def translate(
        self, published: Mapping[str, "Tensor"], backbone: "Backbone"
    ) -> Mapping[str, "Tensor"]:
        """Its `stages` are our `levels`; `seg_layers` find no place.

        More channels share the first convolution.
        """
        tensors = {
            name.replace("coder.stages.", "coder.levels."): tensor
            for name, tensor in once(published).items()
        }
        stem = "encoder.levels.0.0.convs.0.conv.weight"
        if stem in tensors and tensors[stem].shape[1] == 1:
            tensors[stem] = widened(tensors[stem], backbone.state_dict()[stem].shape[1])
        return tensors


def once(published: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    """Without what a file holds under a second name (`all_modules`, `decoder.encoder`)."""
    return {
        name: tensor
        for name, tensor in published.items()
        if ".all_modules." not in name and not name.startswith("decoder.encoder.")
    }


def widened(tensor: "Tensor", repeats: int) -> "Tensor":
    """A first convolution for more channels that gives, on equal ones, what it gave on one."""
    return tensor.repeat(1, repeats, 1, 1, 1) / repeats
