"""Lesion by lesion: which were found, and how well.

Parts are told apart, matched and measured by panoptica (Kofler et al. 2023, arXiv:2312.02608).
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.errors import SpecError

FOUND_IOU = 0.1
"""A lesion is found where a predicted one covers so much of their union: at the 0.5 of objects in
photographs small lesions are lost by a voxel (nnDetection, Baumgartner et al. 2021)."""


class LesionScores(NamedTuple):
    """The lesions of one class in one case; voxels that touch by a face, edge or corner are one.

    Attributes:
        reference: how many there are.
        predicted: how many were predicted.
        found: how many of the reference a predicted one matches, each with one of its own.
        dice_found: mean Dice of those; NaN where none was found.
    """

    reference: int
    predicted: int
    found: int
    dice_found: float

    @property
    def f1(self) -> float:
        """F1 of detection, panoptic recognition quality; NaN where neither side has a lesion."""
        both = self.reference + self.predicted
        return 2 * self.found / both if both else math.nan

    @property
    def dice(self) -> float:
        """Mean Dice over lesions, of missed and false ones 0; NaN without any."""
        lesions = self.reference + self.predicted - self.found
        if not lesions:
            return math.nan
        return self.found * self.dice_found / lesions if self.found else 0.0


def score_lesions(prediction: NDArray[Any], reference: NDArray[Any]) -> LesionScores:
    """Compare the lesions of two masks (d, h, w) or (h, w) of 0 and 1, of one shape.

    Raises:
        SpecError: panoptica is not there.
    """
    panoptica = _panoptica()
    metrics = panoptica.metrics.Metric
    evaluator = panoptica.Panoptica_Evaluator(
        expected_input=panoptica.InputType.SEMANTIC,
        instance_approximator=panoptica.ConnectedComponentsInstanceApproximator(
            panoptica.utils.constants.CCABackend.cc3d
        ),
        instance_matcher=panoptica.NaiveThresholdMatching(metrics.IOU, FOUND_IOU),
        instance_metrics=[metrics.DSC],
        global_metrics=[],
    )
    masks = (np.ascontiguousarray(mask, np.uint8) for mask in (prediction, reference))
    found = evaluator.evaluate(*masks)["ungrouped"]
    counts = int(found.n_ref_instances), int(found.n_pred_instances), int(found.tp)
    return LesionScores(*counts, float(found.sq_dsc) if counts[2] else math.nan)


def _panoptica() -> Any:
    try:
        import panoptica
    except ImportError:
        raise SpecError(
            "scores of lesions need panoptica: pip install 'voxbench[lesions]'."
        ) from None
    # it asks to be cited, as here, on standard output
    panoptica.utils.citation_reminder.disable_citation_reminder()
    return panoptica
