"""How a volume is brought onto the grid and into the value range that a network sees."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Millimetres = Annotated[float, Field(gt=0, le=50)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Value):
    """CT: clip to [low, high] Hounsfield units, scale linearly to `to`.

    Attributes:
        kind: of the rule.
        low: bound in HU.
        high: bound in HU.
        to: the range that the network sees.
    """

    kind: Literal["window"] = "window"
    low: float
    high: float
    to: tuple[float, float] = (0.0, 1.0)

    @model_validator(mode="after")
    def _ordered(self) -> "Window":
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low} and {self.high}")
        return self


class ZScore(_Value):
    """MR and others: clip to percentiles, then mean 0 and deviation 1 within the case.

    Attributes:
        kind: of the rule.
        percentiles: of the case.
        nonzero: take the statistics over the voxels above 0 (skull-stripped brains).
    """

    kind: Literal["zscore"] = "zscore"
    percentiles: tuple[float, float] = (0.5, 99.5)
    nonzero: bool = False


class Rescale(_Value):
    """Clip to percentiles of the case, scale linearly to `to`.

    Attributes:
        kind: of the rule.
        percentiles: of the case.
        to: the range that the network sees.
    """

    kind: Literal["rescale"] = "rescale"
    percentiles: tuple[float, float] = (0.5, 99.5)
    to: tuple[float, float] = (0.0, 1.0)


Intensity = Annotated[Window | ZScore | Rescale, Field(discriminator="kind")]


class Preprocessing(_Value):
    """Orientation, spacing, intensity and crop: everything that decides a prepared array.

    Attributes:
        spacing_mm: target voxel size along the three axes of `axes`; None keeps the file's.
        intensity: window, z-score or rescaling, of all channels or one a channel.
        axes: orientation code of the array's axes, as in nibabel ("RAS").
        crop: "nonzero" crops to the voxels that differ from the volume's minimum;
            "none" keeps the whole volume.
    """

    spacing_mm: tuple[Millimetres, Millimetres, Millimetres] | None = None
    intensity: Intensity | tuple[Intensity, ...] = ZScore()
    axes: str = "RAS"
    crop: Literal["nonzero", "none"] = "nonzero"

    @field_validator("axes")
    @classmethod
    def _one_of_each(cls, axes: str) -> str:
        if sorted(axes.translate(str.maketrans("LPI", "RAS"))) != sorted("RAS"):
            raise ValueError(f"axes need one of R/L, A/P and S/I each, got {axes!r}")
        return axes

    def rules(self, channels: int) -> tuple[Intensity, ...]:
        """The intensity rule of each of so many channels."""
        rules = self.intensity
        return rules if isinstance(rules, tuple) else (rules,) * channels

    def on(self, modalities: Sequence[str]) -> "Preprocessing":
        """The same for channels of these modalities: percentiles in place of a window but in CT.

        Hounsfield units mean nothing there, but the network still sees the range it was trained
        with.
        """
        rules = tuple(
            Rescale(to=rule.to) if isinstance(rule, Window) and kind != "CT" else rule
            for rule, kind in zip(self.rules(len(modalities)), modalities, strict=True)
        )
        return self.model_copy(update={"intensity": one_or_each(rules)})


def one_or_each(rules: tuple[Intensity, ...]) -> Intensity | tuple[Intensity, ...]:
    """The rule that all channels share, else the rules of each."""
    return rules[0] if len(set(rules)) == 1 else rules
