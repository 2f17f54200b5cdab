"""Why predictions and rounds failed: one atomic JSON file each, `failures/KEY.json`."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from voxbench.records.active import ActiveRecords
from voxbench.records.folder import RecordFolder
from voxbench.records.part import Told
from voxbench.records.uncertainty import UncertaintyRecords


class FailureRecord(BaseModel):
    """Work on finished cells that failed: predictions for `[uncertainty]`, a round of `[active]`.

    Attributes:
        key: of the record that it was to make.
        sweep: name of the sweep that ran it.
        work: what progress calls it.
        failure: why it failed.
    """

    model_config = ConfigDict(extra="forbid")

    schema_version: Literal[1] = 1
    key: str
    sweep: str
    work: str
    failure: Told


class Failures(RecordFolder[FailureRecord]):
    """The latest failure of each such piece of work in an output folder."""

    name = "failures"
    kind = FailureRecord
    told = "record of a failure"


def still_failed(root: Path) -> list[FailureRecord]:
    """What has failed and has not been done since.

    Raises:
        RecordError: a file is damaged or of another schema.
    """
    made = UncertaintyRecords(root), ActiveRecords(root)
    return [one for one in Failures(root) if not any(one.key in own for own in made)]
