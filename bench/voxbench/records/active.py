"""What rounds of active learning came to: one atomic JSON file each, `active/KEY.json`."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from voxbench.records.case_scores import CaseScores
from voxbench.records.folder import RecordFolder
from voxbench.records.part import NanFloat
from voxbench.records.record import Arm


class ActiveRecord(BaseModel):
    """A round of a strategy.

    Attributes:
        key: of the cell, the table, the strategy and the round.
        smoke: run with a limit.
        sweep: name of the sweep that ran it.
        cell: key of the cell that the rounds start from.
        arm: the names that tables group by.
        strategy: measure · aggregation, or random.
        model: name and fields of the prediction model that scored the pool.
        round: 1 is the first after the cell itself.
        budget: cases that a round may label, or slices.
        in_slices: which of them.
        slices: of the cases that were labelled in this round; None in older records.
        queried: ids of the cases that were labelled in this round, the most doubted first.
        scores: of each case of the pool, by which they were chosen; none of random ones. NaN is of
            a case in which nothing is predicted, which is chosen first.
        labelled: ids of all cases that were trained on.
        cases: scores of the test cases.
        seconds: that scoring the pool, training and testing took.
        environment: versions, commit, device.
    """

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")

    schema_version: Literal[1] = 1
    key: str
    smoke: bool
    sweep: str
    cell: str
    arm: Arm
    strategy: str
    model: tuple[str, dict[str, Any]]
    round: int
    budget: int
    in_slices: bool = False
    slices: int | None = None
    queried: list[str]
    scores: dict[str, NanFloat]
    labelled: list[str]
    cases: list[CaseScores]
    seconds: float
    environment: dict[str, Any]


class ActiveRecords(RecordFolder[ActiveRecord]):
    """The rounds of one output folder that are over."""

    name = "active"
    kind = ActiveRecord
    told = "record of active learning"
