"""Predict cases of an external test set, and score the classes that it shares with the task."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import nn

from voxbench import metrics
from voxbench.api import IGNORED, Case, TaskCard
from voxbench.data.content_hash import check_unchanged
from voxbench.data.external_test import ExternalTest
from voxbench.data.prepare import prepare_cases
from voxbench.data.volumes import read_reference
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Recipe
from voxbench.model.direct import Direct
from voxbench.predict.case import attempted, scores_of_case
from voxbench.predict.segmentation import segment
from voxbench.progress import Stage, tell
from voxbench.records.case_scores import CaseScores


def score_external(
    network: nn.Module,
    card: TaskCard,
    test: ExternalTest,
    cases: Sequence[Case],
    preprocessing: Preprocessing,
    recipe: Recipe,
    device: str,
    mirrored: Sequence[int] = (),
) -> list[CaseScores]:
    """The scores of each case, in the given order, under the task's names of the shared classes.

    Images are prepared as those that the network was trained on; references are read by their own
    card, on their own grid; tolerances are the task's.

    Args:
        network: on its device.
        card: of the task that the network was trained on.
        test: whose cases are predicted.
        cases: of it.
        preprocessing: grid and intensity of the training.
        recipe: how windows are laid.
        device: "cpu" or "cuda:N".
        mirrored: axes that predictions are averaged over, where the recipe says so.

    Raises:
        DataError: a case can't be used, or has changed since the sweep was planned.
        OSError, MemoryError, RuntimeError: the machine failed.
    """
    files, their_card = test.dataset.files, test.dataset.card
    check_unchanged(files, [path for case in cases for path in case.files])
    prepared = prepare_cases(their_card, cases, preprocessing)
    own = network.shared if isinstance(network, Direct) else card.classes
    scores = []
    for done, case in enumerate(cases, start=1):

        def predict(name: str = case.id) -> NDArray[np.uint8]:
            return segment(network, prepared[name], recipe, device, mirrored)

        prediction, failure = attempted(predict)
        scores.append(score_shared(prediction, case, card, test, own, failure))
        check_unchanged(files, case.files[len(case.images) :])
        tell(Stage("predicting", done, len(cases)))
    return scores


def score_shared(
    prediction: NDArray[np.uint8] | None,
    case: Case,
    card: TaskCard,
    test: ExternalTest,
    predicted: Collection[str],
    failure: str | None = None,
) -> CaseScores:
    """The scores of a case of an external test set, of the classes that are annotated there.

    Args:
        prediction: class indices of the task (d, h, w) on the grid of the files; None failed.
        case: of the set.
        card: of the task.
        test: the set.
        predicted: classes of the task that a prediction can hold.
        failure: why there is no prediction.

    Raises:
        DataError: the reference can't be read.
    """
    classes = {
        name: theirs
        for name, theirs in test.classes.items()
        if name in predicted and (case.labelled is None or theirs in case.labelled)
    }
    found = _compared(prediction, case, card, test.dataset.card, classes)
    return scores_of_case(case, found, failure)


def _compared(
    prediction: NDArray[np.uint8] | None,
    case: Case,
    card: TaskCard,
    their_card: TaskCard,
    classes: dict[str, str],
) -> dict[str, metrics.ClassMetrics]:
    """One mask a class on either side: the two label maps have indices, and regions, of their own.

    Where nobody annotated, nothing counts.
    """
    reference = read_reference(case, their_card)
    truth = {
        name: np.isin(reference.array, their_card.indices[theirs])
        for name, theirs in classes.items()
    }
    if prediction is None:
        return {
            name: metrics.worst(mask.astype(np.uint8), {name: 1}, reference.spacing_mm)[name]
            for name, mask in truth.items()
        }
    annotated = np.where(reference.array == IGNORED, 0, prediction)
    masks = {name: np.isin(annotated, card.indices[name]) for name in classes}
    return metrics.evaluate_masks(masks, truth, reference.spacing_mm, card.tolerance_mm)
