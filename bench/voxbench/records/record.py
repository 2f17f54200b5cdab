"""The record of one cell."""

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from voxbench.records.cost import Cost
from voxbench.records.places import without_places

SCHEMA = 1

# JSON has no NaN: an undefined score is stored as null and read back as NaN
NanFloat = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]


Told = Annotated[str, AfterValidator(without_places)]
"""What a machine says of itself, told without its places, user and host."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


class _Grown(_Part):
    """A part with fields that older records lack; they are left out where they say nothing."""

    later: ClassVar[frozenset[str]]

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        told: dict[str, Any] = handler(self)
        return {k: v for k, v in told.items() if k not in self.later or v not in (None, {})}


class ClassScores(_Part):
    """Scores of one class in one case; NaN is undefined (both masks empty).

    Attributes:
        dice: overlap, in [0, 1].
        nsd: normalised surface Dice at the class's tolerance, in [0, 1].
        hd95_mm: 95th percentile of the distances between the surfaces.
        volume_mm3_prediction: of the predicted mask.
        volume_mm3_reference: of the reference.
        flag: "" or why a score is what it is: both_empty, prediction_empty, reference_empty,
            failed.
    """

    dice: NanFloat
    nsd: NanFloat
    hd95_mm: NanFloat
    volume_mm3_prediction: NanFloat
    volume_mm3_reference: NanFloat
    flag: str = ""


class CaseScores(_Grown):
    """Scores of one test case.

    Attributes:
        case: its id.
        patient: the person.
        classes: class → scores.
        failure: why it could not be predicted.
        raters: where several annotated it, rater → class → Dice with what that rater says; nothing
            of a rater who gave no label map. `classes` are scored against the task's label.
    """

    later = frozenset({"raters"})

    case: str
    patient: str
    classes: dict[str, ClassScores]
    failure: Told | None = None
    raters: dict[str, dict[str, NanFloat]] = {}


class Data(_Part):
    """What was trained and tested on.

    Attributes:
        fingerprint: sha256 over the task's files, its split and what of its card decides a result.
        split_sha256: over the case ids and patients of each part; of a cross-validation over those
            of each fold.
        train: ids of the cases of this cell's fraction and draw.
        validation: ids.
        test: ids.
        train_patients: number of people in `train`.
        mirrored: axes along which training mirrored patches at random, of R, A and S; None in
            records from before it was told.
        notes: where patients and split were found, as far as the task says so, and what of the
            recipe was planned.
    """

    fingerprint: str
    split_sha256: str
    train: list[str]
    validation: list[str]
    test: list[str]
    train_patients: int
    mirrored: str | None = None
    notes: list[Told] = []


class LoadAudit(_Part):
    """Proof that the weights reached the encoder.

    Attributes:
        loaded_share: of the encoder's parameters, those that came from the weights.
        loaded_total_share: of all the backbone's parameters.
        file_share: of the file's values, those that found a place; None in older records.
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
    file_share: float | None = None


class Weights(_Part):
    """Where a cell's weights came from, and what making them cost.

    Attributes:
        origin: name of the file, with what was taken of several networks in it; or of the
            baseline and the source that it was made on.
        sha256: of the weights file.
        audit: proof that they reached the encoder.
        volumes: that they were pre-trained on, where that is known.
        masks: annotated structures in these volumes; 0 where labels were not used.
        gpu_hours: of pre-training.
        cpu_hours: of pre-training, seconds times threads, where there was no accelerator.
        terms: of the loss in the last steps of pre-training, beside the trivial values that each
            must beat; none of published weights and in older records.
        trusted: the file was allowed to run code while it was read (`--trust`).
    """

    origin: Told
    sha256: str
    audit: LoadAudit
    volumes: int | None = None
    masks: int | None = None
    gpu_hours: float = 0.0
    cpu_hours: float = 0.0
    terms: dict[str, float] = {}
    trusted: bool = False


class Imported(_Part):
    """Where scores came from that were not made here.

    Attributes:
        layout: nnunet, wide or long.
        source: who published them, as told by whoever imported them.
        files: name → sha256.
    """

    layout: Literal["nnunet", "wide", "long"]
    source: Told
    files: dict[Told, str]


class External(_Part):
    """The external test set that a trained network was scored on.

    Attributes:
        name: of the test set, in tables.
        data: name of its card.
        training: key of the cell whose network it is.
        fingerprint: sha256 over its files and what of its card decides a result.
        classes: class of the task → the class there that is the same structure.
        lacking: classes of the task that it lacks, and that are not scored.
    """

    name: str
    data: str
    training: str
    fingerprint: str
    classes: dict[str, str]
    lacking: list[str] = []


class TuningCost(_Part):
    """How the values were chosen that a cell was trained with, and what that cost.

    Attributes:
        study: key of the study.
        trials: of its budget, which is the same for the arm and its twin.
        pruned: of them, stopped early.
        failed: of them, that diverged.
        sampler: tpe, random or grid.
        pruner: none, median or hyperband.
        score: mean validation Dice of the chosen trial.
        validation: sha256 over the cases that trials were trained on and judged by.
        patients: that they were judged by.
        gpu_hours: of all trials, pruned ones with what they took.
        cpu_hours: the same, seconds times threads, where there was no accelerator.
    """

    study: str
    trials: int
    pruned: int
    failed: int
    sampler: str
    pruner: str
    score: float
    validation: str
    patients: int
    gpu_hours: float
    cpu_hours: float


class Contamination(_Part):
    """Whether the arm's weights have seen what it is tested on, as the ledger knows it.

    Attributes:
        status: overlaps are by the names of corpora, or by case, which is proof.
        shared: the corpora, or the test cases, that both hold.
        reason: of an unknown.
    """

    status: Literal["clean", "overlaps (by corpus)", "overlaps (by case)", "unknown"]
    shared: list[str] = []
    reason: Told = ""


class Arm(_Grown):
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


class Facts(_Grown):
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
    training: dict[int, float] = {}
    validation: dict[int, float] = {}
    validation_of: Literal["cases", "windows"] | None = None
    failure: Told | None = None
    imported: Imported | None = None
    tuning: TuningCost | None = None
    external: External | None = None
    cards: dict[Literal["task", "source"], dict[str, Any]] = {}


class Record(Facts):
    """The record of one cell, finished or failed.

    Attributes:
        cases: scores of the test cases.
    """

    cases: list[CaseScores] = []
