"""What a sweep asks of active learning: which cases are labelled next, and how often."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from voxbench.design.entries import Entry, Named
from voxbench.design.uncertainty import Measure

Aggregation = Literal["image sum", "image mean", "patch maximum", "foreground", "boundary"]


class Strategy(BaseModel):
    """How cases are chosen: by a measure and an aggregation, or at random where both are None."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measure: Measure | None = None
    aggregation: Aggregation | None = None

    def __str__(self) -> str:
        """As tables call it."""
        return f"{self.measure} · {self.aggregation}" if self.measure else "random"


RANDOM = Strategy()


class Active(BaseModel):
    """Rounds of labelling: each cell is the start, whose pool are the training cases it lacks.

    In every round the network of the round before scores the pool, the cases with the highest
    scores are labelled, and the arm is trained anew on all labelled cases by the sweep's recipe.
    Beside every pair of a measure and an aggregation there is a strategy that draws cases at
    random. Test cases are scored after each round, and never chosen.

    Attributes:
        budget: cases that are labelled in a round, or slices where it is `in_slices`.
        in_slices: cases are labelled while their slices are within the budget, at least one.
        rounds: how often.
        model: prediction model that scores the pool; one that needs several networks has no place
            here.
        measures: maps of uncertainty.
        aggregations: how a map becomes one score a case.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: Annotated[int, Field(gt=0, strict=True)]
    in_slices: bool = False
    rounds: Annotated[int, Field(gt=0, le=100, strict=True)] = 1
    model: Named = Entry(name="softmax")
    measures: tuple[Measure, ...] = ("predictive_entropy",)
    aggregations: tuple[Aggregation, ...] = ("image mean",)

    @property
    def strategies(self) -> list[Strategy]:
        """Random first."""
        asked = [
            Strategy(measure=measure, aggregation=aggregation)
            for measure in dict.fromkeys(self.measures)
            for aggregation in dict.fromkeys(self.aggregations)
        ]
        return [RANDOM, *asked]
