"""What a sweep asks of uncertainty: how finished cells predict again, and what is kept of it."""

from collections.abc import Sequence
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, field_validator

from voxbench.design.entries import Named

Measure = Literal[
    "predictive_entropy", "expected_entropy", "mutual_information", "one_minus_max"
]  # fmt: skip
Aggregation = Literal[
    "image sum", "image mean", "patch maximum", "threshold", "foreground", "boundary",
    "pairwise Dice",
]  # fmt: skip
Application = Literal[
    "OoD detection", "failure detection", "calibration", "risk control", "ambiguity"
]  # fmt: skip


class Uncertainty(BaseModel):
    """How finished cells predict their validation and test cases again, and what is kept of it.

    Nothing is trained for it. Thresholds and calibrations are learnt from validation cases alone.

    Attributes:
        models: prediction models, names or tables with a model's fields.
        measures: maps of uncertainty.
        by_class: score the maps of each class against the rest too, see `Question`.
        aggregations: how a map becomes one score a case; pairwise Dice needs no map, and a byte a
            voxel and member.
        applications: what the scores and probabilities are judged by; ambiguity where a case has
            several raters. OoD are the test cases whose `Case.shift` says so, and all of each
            external test set; detection of failures looks at them too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[Named, ...]
    measures: tuple[Measure, ...] = get_args(Measure)
    by_class: bool = False
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
    def needs_external(self) -> bool:
        """Whether it asks for what external test sets show."""
        return not {"OoD detection", "failure detection"}.isdisjoint(self.applications)

    @property
    def asked(self) -> dict[str, list[str]]:
        """What is kept of each case, in an order of its own."""
        of = {"of": ["all classes", "each class"]} if self.by_class else {}
        return {
            "measures": sorted(self.measures),
            "aggregations": sorted(self.aggregations),
            "applications": sorted(self.applications),
            **of,
        }
