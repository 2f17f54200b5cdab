"""The card that a file of weights carries: what it is, and what it took to make it."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voxbench.api import Preprocessing
from voxbench.design.recipe import Pretraining
from voxbench.errors import WeightsError, bare, first_rule

KEY = "voxbench"  # in the metadata of the file


class CheckpointCard(BaseModel):
    """What a file of weights is, and what it took to make them.

    Attributes:
        name: of the baseline that made them.
        strategy: its family.
        architecture: of the backbone, as `voxbench.model.backbones` names it.
        size: of that architecture.
        in_channels: of the images.
        channels: their names.
        axes: every field of the baseline.
        source: name of the task whose training cases were used.
        corpora: that the source is made of; its name, where it names none.
        volumes: cases that were used.
        masks: annotated structures in them; 0 where labels were not used.
        gpu_hours: of training, on an accelerator.
        cpu_hours: seconds times threads where there was none.
        licence: of the source's data, which the weights derive from.
        reference: whom to cite for the method.
        source_reference: whom to cite for the data.
        preprocessing: grid and intensity that the network was trained on; None where the data sets
            of its source were prepared each by its own.
        pretraining: the schedule.
        terms: of the loss in the last steps, beside the trivial values that each must beat.
        voxbench: version that made them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    strategy: Literal["scratch", "imagenet", "self-supervised", "supervised", "control"]
    architecture: str
    size: str
    in_channels: int = Field(gt=0)
    channels: tuple[str, ...]
    axes: dict[str, Any]
    source: str
    corpora: tuple[str, ...]
    volumes: int = Field(gt=0)
    masks: int = Field(ge=0)
    gpu_hours: float = Field(ge=0)
    cpu_hours: float = Field(ge=0)
    licence: str
    reference: str
    source_reference: str
    preprocessing: Preprocessing | None
    pretraining: Pretraining
    terms: dict[str, float] = {}
    voxbench: str


def read_card(path: Path) -> CheckpointCard:
    """The card that a file carries.

    Raises:
        WeightsError: there is no such file, or it was not written by voxbench.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            text = (file.metadata() or {}).get(KEY)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: not a readable .safetensors file ({bare(error)}).") from error
    if text is None:
        raise WeightsError(
            f"{path}: carries no card; `voxbench pretrain` writes files that do. Other weights "
            "need a baseline of their own."
        )
    try:
        return CheckpointCard.model_validate_json(text)
    except ValidationError as error:
        raise WeightsError(f"{path}: its card is damaged: {first_rule(error)}.") from None
