"""Protocols of published numbers, for reproducing those numbers; never for new ones."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxbench.errors import SpecError, unknown
from voxbench.metrics.case import ClassMetrics
from voxbench.metrics.evaluate import evaluate
from voxbench.metrics.labels import LabelValues, label_set

SUPREM_TOLERANCE_MM = 1.0
FLARE23_TOLERANCE_MM = {
    "Liver": 5.0, "RK": 3.0, "Spleen": 3.0, "Pancreas": 5.0, "Aorta": 2.0, "IVC": 2.0, "RAG": 2.0,
    "LAG": 2.0, "Gallbladder": 2.0, "Esophagus": 3.0, "Stomach": 5.0, "Duodenum": 7.0, "LK": 3.0,
    "Tumor": 2.0,
}  # fmt: skip
"""The challenge's organs in the order of its labels 1…14, with their tolerances."""
FLARE23_CLASSES = {name: label for label, name in enumerate(FLARE23_TOLERANCE_MM, start=1)}
CROPPED = {"Aorta", "IVC", "Esophagus"}  # scored in the reference's slices only
LEAST_DICE = 0.2  # below it FLARE gives no credit for the surface


def suprem(
    prediction: NDArray[Any],
    reference: NDArray[Any],
    classes: Mapping[str, LabelValues],
    spacing_mm: tuple[float, ...],
) -> dict[str, ClassMetrics]:
    """Dice with one more voxel in the denominator and NSD of border voxels at 1 mm.

    A class that the reference lacks is undefined. Arguments as in `evaluate`; SuPreM scores masks
    resampled to 1.5 mm but measures with the spacing of the original file.
    Source: MrGiovanni/SuPreM, target_applications/totalsegmentator.
    """
    scores = evaluate(
        prediction, reference, classes, spacing_mm, SUPREM_TOLERANCE_MM, "voxel", exact=True
    )
    return {name: _with_one_more(score) for name, score in scores.items()}


def _with_one_more(score: ClassMetrics) -> ClassMetrics:
    """SuPreM's Dice in place of ours."""
    if not score.voxels_reference:
        return score._replace(dice=math.nan, nsd=math.nan)
    voxels = score.voxels_prediction + score.voxels_reference + 1
    return score._replace(dice=2 * score.voxels_both / voxels)


def flare23(
    prediction: NDArray[Any],
    reference: NDArray[Any],
    classes: Mapping[str, LabelValues],
    spacing_mm: tuple[float, ...],
) -> dict[str, ClassMetrics]:
    """FLARE's Dice and NSD: `surface` at the organ's tolerance, no NSD below a Dice of 0.2.

    The last axis must be the slices, as in the files of the challenge: aorta, vena cava and
    oesophagus are scored from the reference's first slice to the one before its last, as the
    challenge's script does (a single slice is scored as it is). Both masks empty count as 1.
    Rounding to four digits is left to the reader. Source: JunMa11/FLARE, the evaluation script of
    2022 and 2023.

    Raises: SpecError for a class that FLARE does not have.
    """
    scores = {}
    for name, label in classes.items():
        if name not in FLARE23_TOLERANCE_MM:
            raise SpecError(unknown("FLARE23 class", name, FLARE23_TOLERANCE_MM))
        inside = np.isin(reference, list(label_set(label)))
        part = _labelled_slices(inside) if name in CROPPED else slice(None)
        score = evaluate(
            prediction[..., part],
            reference[..., part],
            {name: label},
            spacing_mm,
            FLARE23_TOLERANCE_MM[name],
            exact=True,
        )[name]
        if score.flag == "both_empty":
            score = score._replace(dice=1.0, nsd=1.0)
        scores[name] = score._replace(nsd=score.nsd if score.dice >= LEAST_DICE else 0.0)
    return scores


def _labelled_slices(mask: NDArray[np.bool_]) -> slice:
    """The slices of the last axis from the first with `mask` to the one before the last with it."""
    slices = np.flatnonzero(mask.any(axis=tuple(range(mask.ndim - 1))))
    return slice(slices[0], max(slices[-1], slices[0] + 1)) if slices.size else slice(None)


PROTOCOLS: dict[str, Callable[..., dict[str, ClassMetrics]]] = {
    "suprem": suprem, "flare23": flare23,
}  # fmt: skip
