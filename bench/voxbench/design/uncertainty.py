"""What a sweep asks of uncertainty: how finished cells predict again, and what is kept of it."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, field_validator

Measure = Literal[
    "predictive_entropy", "expected_entropy", "mutual_information", "one_minus_max"
]  # fmt: skip
Aggregation = Literal[
    "image sum", "image mean", "patch maximum", "threshold", "foreground", "boundary",
    "pairwise Dice",
]  # fmt: skip
Application = Literal["failure detection", "calibration", "risk control", "ambiguity"]


class ModelEntry(BaseModel):
    """A prediction model of the sweep: its name, and its fields as further keys.

    Attributes:
        name: of the plugin, as `voxbench ls` tells it.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str

    @property
    def fields(self) -> dict[str, Any]:
        """The further keys."""
        return dict(self.__pydantic_extra__ or {})


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class Uncertainty(BaseModel):
    """How finished cells predict their validation and test cases again, and what is kept of it.

    Nothing is trained for it. Thresholds and calibrations are learnt from validation cases alone.

    Attributes:
        models: prediction models, names or tables with a model's fields.
        measures: maps of uncertainty.
        aggregations: how a map becomes one score a case; pairwise Dice needs no map, and a byte a
            voxel and member.
        applications: what the scores and probabilities are judged by; ambiguity where a case has
            several raters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[Annotated[ModelEntry, BeforeValidator(_named)], ...]
    measures: tuple[Measure, ...] = get_args(Measure)
    aggregations: tuple[Aggregation, ...] = get_args(Aggregation)
    applications: tuple[Application, ...] = get_args(Application)

    @field_validator("models", "measures", "aggregations", "applications")
    @classmethod
    def _distinct(cls, values: Sequence[object]) -> Sequence[object]:
        if not values:
            raise ValueError("needs at least one value")
        for place, value in enumerate(values):
            if value in values[:place]:
                raise ValueError(f"named twice: {getattr(value, 'name', value)}; leave one")
        return values

    @property
    def asked(self) -> dict[str, list[str]]:
        """What is kept of each case, in an order of its own."""
        return {
            "measures": sorted(self.measures),
            "aggregations": sorted(self.aggregations),
            "applications": sorted(self.applications),
        }
