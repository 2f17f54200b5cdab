"""Predict cases and score them on the native grid of their references."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from torch import nn

from voxbench import metrics
from voxbench.api import Case, TaskCard
from voxbench.data.cache import PreparedCase
from voxbench.data.cell_data import CellData
from voxbench.data.content_hash import check_unchanged
from voxbench.data.geometry import uncropped
from voxbench.data.kept_map import write_prediction
from voxbench.data.nifti import Volume
from voxbench.data.scored_as import score_labels
from voxbench.data.volumes import read_raters, read_reference
from voxbench.design.recipe import Recipe
from voxbench.errors import VoxbenchError, is_machine_fault, is_of_device
from voxbench.model.direct import Direct
from voxbench.predict.members import Subject, UncertaintyModel, predict_members
from voxbench.predict.segmentation import segment
from voxbench.progress import Stage, tell
from voxbench.records.case_scores import CaseScores, ClassScores


def score_cases(
    network: nn.Module,
    cases: Sequence[Case],
    data: CellData,
    recipe: Recipe,
    device: str,
    keep: Callable[[str], Path] | None = None,
) -> list[CaseScores]:
    """The scores of each case, in the given order; see `score_case`.

    Args:
        network: on its device.
        cases: to predict.
        data: gives their prepared arrays.
        recipe: how windows are laid.
        device: "cpu" or "cuda:N".
        keep: case id → where its label map is written; None writes none.

    Raises:
        DataError: as of `score_case`, or a reference has changed since the sweep was planned.
    """
    scores, mirrored = [], data.mirrored if recipe.test_time_mirroring else ()
    for done, case in enumerate(cases, start=1):
        prepared, kept = data.prepared[case.id], keep and keep(case.id)
        how = recipe, device, kept, mirrored
        scores.append(score_case(network, case, prepared, data.card, *how))
        check_unchanged(data.files, case.files[len(case.images) :])
        tell(Stage("predicting", done, len(cases)))
    return scores


def score_case(
    network: nn.Module,
    case: Case,
    prepared: PreparedCase,
    card: TaskCard,
    recipe: Recipe,
    device: str,
    keep: Path | None = None,
    mirrored: Sequence[int] = (),
) -> CaseScores:
    """Scores of the classes that were annotated and that the network was made to predict.

    A prediction that fails scores worst and is flagged; one that succeeds is written to `keep`,
    as label values on the grid of the reference.

    Raises:
        DataError: the reference can't be read, or the label map can't be written.
        OSError, MemoryError, RuntimeError: the machine failed, and what the network can is unknown.
    """
    predicted = network.shared if isinstance(network, Direct) else card.classes

    def predict() -> NDArray[np.uint8]:
        return segment(network, prepared, recipe, device, mirrored)

    return score_prediction(predict, case, card, predicted, keep)


def score_members(
    model: UncertaintyModel, subject: Subject, case: Case, card: TaskCard
) -> CaseScores:
    """Scores of what the members of a prediction say together, see `score_case`.

    The label of a voxel is the class with the largest mean probability on the native grid.
    """

    def predict() -> NDArray[np.uint8]:
        labels = predict_members(model, subject).labels.astype(np.uint8)
        return uncropped(labels, subject.prepared.grid)

    return score_prediction(predict, case, card, card.classes)


def score_prediction(
    predict: Callable[[], NDArray[np.uint8]],
    case: Case,
    card: TaskCard,
    predicted: Collection[str],
    keep: Path | None = None,
) -> CaseScores:
    """Scores of what `predict` returns, class indices (d, h, w) on the grid of the case's files.

    What it raises is a failed prediction, unless the machine is at fault. `predicted` are the
    classes that it can hold.
    """
    classes = {
        name: index
        for name, index in card.indices.items()
        if name in predicted and (case.labelled is None or name in case.labelled)
    }
    prediction, failure = attempted(predict)
    reference = read_reference(case, card)
    raters = read_raters(case, card, reference)
    if keep and prediction is not None:
        write_prediction(keep, prediction, card.parts, reference.affine)
    found = _against(reference, prediction, classes, card)
    dice = {rater: dict[str, float]() for rater in case.raters}
    for rater, drawn in raters.items():
        own = _against(drawn, prediction, classes, card)
        dice[rater] = {name: score.dice for name, score in own.items()}
    return scores_of_case(case, found, failure, dice)


def _against(
    reference: Volume,
    prediction: NDArray[np.uint8] | None,
    classes: Mapping[str, int | tuple[int, ...]],
    card: TaskCard,
) -> Mapping[str, metrics.ClassMetrics]:
    if prediction is None:
        return metrics.worst(reference.array, classes, reference.spacing_mm)
    return score_labels(prediction, reference, classes, card)


def attempted(
    predict: Callable[[], NDArray[np.uint8]],
) -> tuple[NDArray[np.uint8] | None, str | None]:
    """A prediction, or None and why it failed.

    Raises:
        OSError, MemoryError, RuntimeError: the machine failed, and what the network can is unknown.
    """
    try:
        return predict(), None
    except (RuntimeError, ValueError, VoxbenchError) as error:
        if is_machine_fault(error) or is_of_device(str(error)):  # it may predict nothing any more
            raise
        return None, f"{type(error).__name__}: {error}"


def scores_of_case(
    case: Case,
    found: Mapping[str, metrics.ClassMetrics],
    failure: str | None,
    raters: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
) -> CaseScores:
    """The metrics of a case's classes as its record has them, and the Dice against each rater."""
    return CaseScores(
        case=case.id,
        patient=case.patient,
        classes={name: _stored(score) for name, score in found.items()},
        failure=failure,
        raters={rater: {**dice} for rater, dice in raters.items()},
    )


def mean_dice(cases: Sequence[CaseScores]) -> float:
    """The mean over all classes of all cases where it is defined; 0 where it is nowhere."""
    values = [score.dice for case in cases for score in case.classes.values()]
    defined = [value for value in values if not math.isnan(value)]
    return fmean(defined) if defined else 0.0


def _stored(score: metrics.ClassMetrics) -> ClassScores:
    return ClassScores(**{name: getattr(score, name) for name in ClassScores.model_fields})
