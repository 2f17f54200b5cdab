"""What a task is."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from voxbench.design.preprocessing import Millimetres, Preprocessing, Window, ZScore, one_or_each

Modality = Literal["CT", "MR", "PET", "other"]
IGNORED = 255
"""Index, in prepared label maps, of the voxels that nobody annotated."""
_LARGEST = 65535  # label value: tables are as long


class TaskCard(BaseModel):
    """What a task is, validated when it is defined.

    Attributes:
        name: as it appears in records and tables.
        modality: CT is windowed, everything else z-scored per case; of all channels, or one a
            channel where they differ.
        channels: names of the input channels, one image file each.
        classes: foreground class → label value (0 is background), or the values of a region, which
            may overlap others (whole tumour, tumour core); none where there are only images.
        ignore: label value of the voxels that nobody annotated: they neither train nor score.
        spacing_mm: the grid networks work on; None keeps each case's own.
        tolerance_mm: NSD tolerance of every class.
        scoring: name of the official way to score; None is voxbench's own.
        window: CT window in HU.
        licence: of the data.
        reference: whom to cite.
        corpora: source corpora, for the contamination check.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    modality: Modality | tuple[Modality, ...]
    channels: tuple[str, ...] = Field(min_length=1)
    classes: dict[str, int | tuple[int, ...]]
    ignore: int | None = None
    spacing_mm: tuple[Millimetres, Millimetres, Millimetres] | None
    tolerance_mm: dict[str, Millimetres]
    scoring: str | None = None
    window: tuple[float, float] = (-175.0, 250.0)
    licence: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    corpora: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "TaskCard":
        groups = [self.values_of(name) for name in self.classes]
        values = {value for group in groups for value in group}
        known = values if self.ignore is None else {*values, self.ignore}
        if len({*map(frozenset, groups)}) != len(groups) or not all(v > 0 for v in values):
            raise ValueError(f"classes need distinct label values from 1, got {self.classes}")
        if beyond := [value for value in known if value > _LARGEST]:
            raise ValueError(f"label values go up to {_LARGEST}, got {beyond}")
        if not all(groups):
            raise ValueError(f"a region needs at least one label value, got {self.classes}")
        if self.ignore is not None and (self.ignore in values or self.ignore < 1):
            raise ValueError(
                f"ignore must be a label value from 1 that no class has, got {self.ignore}"
            )
        if len(values) >= IGNORED:
            raise ValueError(
                f"at most {IGNORED - 1} label values are told apart, got {len(values)}"
            )
        if differing := sorted(set(self.classes) ^ set(self.tolerance_mm)):
            raise ValueError(f"tolerance_mm must name every class once; differs in {differing}")
        if len(self.modalities) != len(self.channels):
            raise ValueError(
                f"modality must be one for all channels or one a channel, got {self.modality} for "
                f"{self.channels}"
            )
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A card with other values, as valid as this one; what it derives is its own."""
        own = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**own, **(update or {})})

    @cached_property
    def has_regions(self) -> bool:
        """Whether a class is made of several label values, or of those of others."""
        return any(isinstance(value, tuple) for value in self.classes.values())

    def values_of(self, name: str) -> tuple[int, ...]:
        """The label values of a class."""
        value = self.classes[name]
        return value if isinstance(value, tuple) else (value,)

    @cached_property
    def parts(self) -> dict[str, int]:
        """What a network tells apart → its label value, in the order of indices, from 1.

        The classes; where some are regions, every value that one of them has.
        """
        if not self.has_regions:
            return {name: self.values_of(name)[0] for name in self.classes}
        own = {group[0]: name for name in self.classes if len(group := self.values_of(name)) == 1}
        values = sorted({value for name in self.classes for value in self.values_of(name)})
        return {own.get(value, f"label {value}"): value for value in values}

    @cached_property
    def indices(self) -> dict[str, int | tuple[int, ...]]:
        """Class → its index in prepared label maps and predictions, or those of its region."""
        index = {value: number for number, value in enumerate(self.parts.values(), start=1)}
        found = {name: tuple(index[v] for v in self.values_of(name)) for name in self.classes}
        return {name: group if len(group) > 1 else group[0] for name, group in found.items()}

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
