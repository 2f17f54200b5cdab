"""What a task is."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from voxbench.design.preprocessing import Millimetres, Preprocessing, Window, ZScore, one_or_each

Modality = Literal["CT", "MR", "PET", "other"]


class TaskCard(BaseModel):
    """What a task is, validated when it is defined.

    Attributes:
        name: as it appears in records and tables.
        modality: CT is windowed, everything else z-scored per case; of all channels, or one a
            channel where they differ.
        channels: names of the input channels, one image file each.
        classes: foreground class → label value (0 is background).
        spacing_mm: the grid networks work on; None keeps each case's own.
        tolerance_mm: NSD tolerance of every class.
        window: CT window in HU.
        licence: of the data.
        reference: whom to cite.
        corpora: source corpora, for the contamination check.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    modality: Modality | tuple[Modality, ...]
    channels: tuple[str, ...] = Field(min_length=1)
    classes: dict[str, int] = Field(min_length=1)
    spacing_mm: tuple[Millimetres, Millimetres, Millimetres] | None
    tolerance_mm: dict[str, Millimetres]
    window: tuple[float, float] = (-175.0, 250.0)
    licence: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    corpora: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "TaskCard":
        values = list(self.classes.values())
        if len(set(values)) != len(values) or not all(0 < value < 256 for value in values):
            raise ValueError(f"classes need distinct label values in 1…255, got {self.classes}")
        if differing := sorted(set(self.classes) ^ set(self.tolerance_mm)):
            raise ValueError(f"tolerance_mm must name every class once; differs in {differing}")
        if len(self.modalities) != len(self.channels):
            raise ValueError(
                f"modality must be one for all channels or one a channel, got {self.modality} for "
                f"{self.channels}"
            )
        return self

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """Of each channel."""
        return (
            self.modality
            if isinstance(self.modality, tuple)
            else (self.modality,) * len(self.channels)
        )

    @property
    def preprocessing(self) -> Preprocessing:
        """The task's own grid and intensity rules."""
        window = Window(low=self.window[0], high=self.window[1])
        rules = tuple(window if kind == "CT" else ZScore() for kind in self.modalities)
        return Preprocessing(spacing_mm=self.spacing_mm, intensity=one_or_each(rules))
