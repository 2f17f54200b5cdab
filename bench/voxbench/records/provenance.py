"""What the scores of a record come from: data, weights, and what these have seen."""

from typing import Literal

from pydantic import Field

from voxbench.records.part import RecordPart, Told


class Data(RecordPart):
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
    notes: list[Told] = Field(default=[])


class LoadAudit(RecordPart):
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


class Weights(RecordPart):
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
    terms: dict[str, float] = Field(default={})
    trusted: bool = False


class Contamination(RecordPart):
    """Whether the arm's weights have seen what it is tested on, as the ledger knows it.

    Attributes:
        status: overlaps are by the names of corpora, or by case, which is proof.
        shared: the corpora, or the test cases, that both hold.
        reason: of an unknown.
    """

    status: Literal["clean", "overlaps (by corpus)", "overlaps (by case)", "unknown"]
    shared: list[str] = Field(default=[])
    reason: Told = ""


class External(RecordPart):
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
    lacking: list[str] = Field(default=[])


class Imported(RecordPart):
    """Where scores came from that were not made here.

    Attributes:
        layout: nnunet, wide or long.
        source: who published them, as told by whoever imported them.
        files: name → sha256.
    """

    layout: Literal["nnunet", "wide", "long"]
    source: Told
    files: dict[Told, str]
