"""The record of one cell: its names, its facts and its scores."""

from typing import Any, Literal

from pydantic import Field

from voxbench.records.case_scores import CaseScores
from voxbench.records.cost import Cost, TuningCost
from voxbench.records.part import GrownPart, Told
from voxbench.records.provenance import Contamination, Data, External, Imported, Weights

SCHEMA = 1


class Arm(GrownPart):
    """The names that tables group by.

    Attributes:
        task: name of its card.
        baseline: name, with the fields that differ from its defaults.
        twin: the scratch arm of the same network; None if this is one.
        strategy: of pre-training.
        network: architecture and size.
        fraction: of the training patients, as it was asked for.
        draw: which training cases.
        seed: of this training.
        adaptation: how the weights were fine-tuned; "tuned" too where a study chose for the arm.
        fold: number of the fold that it is tested on, of a cross-validation; None of one split.
    """

    later = frozenset({"fold"})

    task: str
    baseline: str
    twin: str | None
    strategy: str
    network: str
    fraction: str
    draw: int
    seed: int
    adaptation: str
    fold: int | None = None


class Facts(GrownPart):
    """All that a record says of its cell beside the scores of its test cases.

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
        data: what was trained and tested on.
        weights: where they came from; None for scratch.
        cost: what the cell took.
        contamination: None in records from before there was a ledger, until they are run again.
        metrics_version: of the metric definitions.
        training: step → mean loss since the last entry.
        validation: step → Dice of the validation cases. Records from before there were validations
            that select nothing have it only where weights were selected.
        validation_of: what that Dice is of: `cases`, their mean, where the recipe selects the best
            weights; else `windows`, which estimate the Dice of whole cases, pooled. Older records
            lack it: where they selected nothing, it is that of 16 patches, most of them about
            structures.
        failure: why it failed.
        imported: the source of scores that were not made here.
        tuning: of a cell whose values a study chose.
        cards: the task's, and that of the source of weights made here, as the plugins told them;
            none in older records.
        external: of scores on an external test set; `data` then has its cases as the test cases,
            `contamination` is of it, and all else is that of the training.
    """

    later = frozenset({"cards", "validation_of"})

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
    training: dict[int, float] = Field(default={})
    validation: dict[int, float] = Field(default={})
    validation_of: Literal["cases", "windows"] | None = None
    failure: Told | None = None
    imported: Imported | None = None
    tuning: TuningCost | None = None
    external: External | None = None
    cards: dict[Literal["task", "source"], dict[str, Any]] = Field(default={})


class Record(Facts):
    """The record of one cell, finished or failed.

    Attributes:
        cases: scores of the test cases.
    """

    cases: list[CaseScores] = Field(default=[])
