"""What finished cells predicted again: one atomic JSON file each, `uncertainty/KEY.json`."""

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from voxbench.records.case_scores import CaseScores
from voxbench.records.folder import RecordFolder
from voxbench.records.part import NanFloat
from voxbench.records.record import Arm

Figures = dict[str, dict[str, NanFloat]]


class UncertainCase(BaseModel):
    """One case; NaN is undefined.

    Attributes:
        scored: Dice and NSD of the mean prediction.
        scores: measure → aggregation → score, higher is less sure.
        errors: whose probability → ACE, ECE.
        missed: class → share that is missed by the mask that promises to miss little.
        agreement: mean Dice of pairs of members.
        correlations: measure → NCC with the variance over raters.
        distance: GED² of members and raters, mean over the classes.
        reliability: voxels of each bin of the mean probability of the predicted class: how many
            were judged, how many judgements were right, and the sum of their confidences; empty
            where calibration was not asked for. See `uncertainty.calibration.Reliability`.
        shift: why it is of another distribution than training; "" where it is not.
    """

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")

    scored: CaseScores
    scores: Figures
    errors: Figures = {}
    missed: dict[str, NanFloat] = {}
    agreement: NanFloat = math.nan
    correlations: dict[str, NanFloat] = {}
    distance: NanFloat = math.nan
    reliability: tuple[list[float], ...] = ()
    shift: str = ""


class UncertaintyRecord(BaseModel):
    """What a prediction model said of a cell's cases.

    Attributes:
        key: of the cells, the model and what was asked.
        smoke: run with a limit.
        sweep: name of the sweep that ran it.
        cells: keys of the cells whose weights were used.
        arm: the names that tables group by; the seed is the first cell's.
        seeds: of the cells.
        model: name and fields of the prediction model.
        asked: measures, aggregations and applications.
        validation: cases that thresholds and calibrations were learnt from, if any; apart, so that
            nothing is judged here that was learnt from them.
        test: the cases that count.
        external: external test set → its cases, of whose classes the task's are scored; scores and
            agreement alone are kept of their doubt.
        passes: forward passes over each case; None in older records.
        seconds: that predicting and measuring took.
        environment: versions, commit, device.
    """

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")

    schema_version: Literal[1] = 1
    key: str
    smoke: bool
    sweep: str
    cells: list[str]
    arm: Arm
    seeds: list[int]
    model: tuple[str, dict[str, Any]]
    asked: dict[str, list[str]]
    validation: list[UncertainCase]
    test: list[UncertainCase]
    external: dict[str, list[UncertainCase]] = {}
    passes: int | None = None
    seconds: float
    environment: dict[str, Any]


class UncertaintyRecords(RecordFolder[UncertaintyRecord]):
    """What the cells of one output folder predicted again."""

    name = "uncertainty"
    kind = UncertaintyRecord
    told = "record of uncertainty"
