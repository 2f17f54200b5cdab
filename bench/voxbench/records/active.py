"""What rounds of active learning came to: one atomic JSON file each, `active/KEY.json`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from voxbench.errors import RecordError, first_rule
from voxbench.files import write_atomically
from voxbench.records.record import Arm, CaseScores, NanFloat


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
        budget: cases that a round may label.
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
    queried: list[str]
    scores: dict[str, NanFloat]
    labelled: list[str]
    cases: list[CaseScores]
    seconds: float
    environment: dict[str, Any]


def active_path(root: Path, key: str) -> Path:
    """Where the record lies."""
    return root / "active" / f"{key}.json"


def write_active(root: Path, record: ActiveRecord) -> None:
    """Store a record, whole or not at all."""
    write_atomically(active_path(root, record.key), record.model_dump_json(indent=1))


def read_active(path: Path) -> ActiveRecord:
    """Read a record.

    Raises:
        RecordError: the file is damaged or of another schema.
    """
    try:
        return ActiveRecord.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RecordError(
            f"{path}: no record of active learning ({first_rule(error)}); move it away to make it "
            "again."
        ) from None


def active_in(root: Path) -> Iterator[ActiveRecord]:
    """All of an output folder, in the order of their keys.

    Raises:
        RecordError: a file is damaged or of another schema.
    """
    return map(read_active, sorted((root / "active").glob("*.json")))
