"""Predict one case and score it on the native grid of its reference."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
from torch import nn

from voxbench import metrics
from voxbench.api import Case, TaskCard
from voxbench.data.cache import PreparedCase
from voxbench.data.geometry import scores_to_native
from voxbench.data.label_map import write_label_map
from voxbench.data.volumes import read_reference
from voxbench.design.recipe import Recipe
from voxbench.errors import VoxbenchError
from voxbench.predict.window import predict
from voxbench.records.record import CaseScores, ClassScores


def segment(network: nn.Module, prepared: PreparedCase, recipe: Recipe, device: str) -> np.ndarray:
    """Class indices (d, h, w) uint8 of a case on the grid of its files."""
    scores = predict(
        network,
        prepared.image,
        patch=recipe.patch,
        overlap=recipe.overlap,
        windows=recipe.windows,
        device=device,
        precision=recipe.precision,
    )
    return scores_to_native(scores, prepared.grid)


def score_case(
    network: nn.Module,
    case: Case,
    prepared: PreparedCase,
    card: TaskCard,
    recipe: Recipe,
    device: str,
    predicted: Collection[str],
    keep: Path | None = None,
) -> CaseScores:
    """Scores of the classes that were annotated and that the network was made to predict.

    A prediction that fails scores worst and is flagged; one that succeeds is written to `keep`,
    as class indices on the grid of the reference.
    """
    classes = {
        name: index
        for index, name in enumerate(card.classes, start=1)
        if name in predicted and (case.labelled is None or name in case.labelled)
    }
    reference = read_reference(case, card)
    truth = reference.array, classes, reference.spacing_mm
    failure = None
    try:
        prediction = segment(network, prepared, recipe, device)
        found = metrics.evaluate(prediction, *truth, card.tolerance_mm)
        if keep:
            write_label_map(keep, prediction, reference.affine)
    except (RuntimeError, ValueError, VoxbenchError) as error:
        failure = f"{type(error).__name__}: {error}"
        found = metrics.worst(*truth)
    stored = {name: _stored(score) for name, score in found.items()}
    return CaseScores(case=case.id, patient=case.patient, classes=stored, failure=failure)


def _stored(score: metrics.ClassMetrics) -> ClassScores:
    return ClassScores(**{name: getattr(score, name) for name in ClassScores.model_fields})
