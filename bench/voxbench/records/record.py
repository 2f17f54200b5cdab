"""The record of one cell."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from voxbench.records.cost import Cost

SCHEMA = 1

# JSON has no NaN: an undefined score is stored as null and read back as NaN
NanFloat = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


class ClassScores(_Part):
    """Scores of one class in one case; NaN is undefined (both masks empty).

    Attributes:
        flag: "" or why a score is what it is: both_empty, prediction_empty, reference_empty,
            failed.
    """

    dice: NanFloat
    nsd: NanFloat
    hd95_mm: NanFloat
    volume_mm3_prediction: NanFloat
    volume_mm3_reference: NanFloat
    flag: str = ""


class CaseScores(_Part):
    """Scores of one test case."""

    case: str
    patient: str
    classes: dict[str, ClassScores]
    failure: str | None = None


class Data(_Part):
    """What was trained and tested on."""

    fingerprint: str
    split_sha256: str
    train: list[str]
    validation: list[str]
    test: list[str]
    train_patients: int


class LoadAudit(_Part):
    """Proof that the weights reached the encoder.

    Attributes:
        loaded_share: of the encoder's parameters, those that came from the weights.
        loaded_total_share: of all the backbone's parameters.
        missing: encoder tensors that stayed at initialisation.
        unused: tensors of the file that found no place.
        hash_before: sha256 of the encoder's tensors at initialisation.
        hash_after: sha256 once loaded.
        activation_before: mean and deviation of each feature map on a fixed probe volume.
        activation_after: the same, once loaded.
    """

    loaded_share: float
    loaded_total_share: float
    missing: list[str]
    unused: list[str]
    hash_before: str
    hash_after: str
    activation_before: list[float]
    activation_after: list[float]


class Weights(_Part):
    """Where a cell's weights came from, and what making them cost.

    Attributes:
        trusted: the file was allowed to run code while it was read (`--trust`).
    """

    origin: str
    sha256: str
    audit: LoadAudit
    volumes: int | None = None
    masks: int | None = None
    gpu_hours: float = 0.0
    cpu_hours: float = 0.0
    trusted: bool = False


class Imported(_Part):
    """Where scores came from that were not made here.

    Attributes:
        layout: nnunet, wide or long.
        source: who published them, as told by whoever imported them.
        files: name → sha256.
    """

    layout: Literal["nnunet", "wide", "long"]
    source: str
    files: dict[str, str]


class Contamination(_Part):
    """Whether the arm's weights have seen what it is tested on, as the ledger knows it.

    Attributes:
        status: overlaps are by the names of corpora, or by case, which is proof.
        shared: the corpora, or the test cases, that both hold.
        reason: of an unknown.
    """

    status: Literal["clean", "overlaps (by corpus)", "overlaps (by case)", "unknown"]
    shared: list[str] = []
    reason: str = ""


class Arm(_Part):
    """The names that tables group by."""

    task: str
    baseline: str
    twin: str | None
    strategy: str
    network: str
    fraction: str
    draw: int
    seed: int
    adaptation: str


class Record(_Part):
    """All that is known of one cell, finished or failed.

    Attributes:
        schema_version: of this layout.
        key: the cell's content hash, and the file's name.
        status: ok or failed.
        smoke: run with a limit; never reaches a leaderboard.
        sweep: name of the sweep that ran it.
        arm: the names that tables group by.
        cell: the resolved cell with its recipe.
        environment: versions, commit, device.
        seeds: the named random streams.
        contamination: None in records from before there was a ledger, until they are run again.
        metrics_version: of the metric definitions.
        cases: scores of the test cases.
        training: step → mean loss since the last entry.
        validation: step → mean Dice of the validation cases, where selection looked.
        failure: why it failed.
        imported: the source of scores that were not made here.
    """

    schema_version: int = SCHEMA
    key: str
    status: Literal["ok", "failed"]
    smoke: bool
    sweep: str
    arm: Arm
    cell: dict[str, Any]
    environment: dict[str, Any]
    seeds: dict[str, int]
    data: Data | None = None
    weights: Weights | None = None
    cost: Cost | None = None
    contamination: Contamination | None = None
    metrics_version: str = ""
    cases: list[CaseScores] = []
    training: dict[int, float] = {}
    validation: dict[int, float] = {}
    failure: str | None = None
    imported: Imported | None = None
