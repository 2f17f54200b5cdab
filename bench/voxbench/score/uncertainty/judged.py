"""A case without its volumes: all figures that the applications are made of."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.metrics import evaluate
from voxbench.score.uncertainty.case import Predicted, Question
from voxbench.score.uncertainty.validation import Validation
from voxbench.stats.arrays import nanmean
from voxbench.uncertainty.aggregation import (
    boundary_weights,
    foreground_mean,
    image_mean,
    image_sum,
    patch_maximum,
    threshold_mean,
    weighted_mean,
)
from voxbench.uncertainty.ambiguity import energy_distance, normalised_cross_correlation
from voxbench.uncertainty.calibration import Reliability, reliability
from voxbench.uncertainty.names import AGREEMENT

AGGREGATIONS = (
    "image sum", "image mean", "patch maximum", "threshold", "foreground", "boundary",
)  # fmt: skip
RAW = "mean probability"
"""The confidence that nothing is fitted to."""


class JudgedCase(NamedTuple):
    """One case; NaN is undefined, or not asked for, and what needs references is so without them.

    Attributes:
        case: its name.
        patient: whom it shows.
        scores: measure, or measure of a class → aggregation → score.
        agreement: mean Dice of pairs of members.
        risks: 1 − Dice, and 1 − NSD where a tolerance is given.
        errors: what is calibrated → figure → error.
        correlations: measure → NCC with the variance over raters.
        missed: class → share that is missed by the mask that misses little on validation cases.
        distance: GED² of members and raters, mean over the classes.
        reliability: of the mean probability; None without references.
    """

    case: str
    patient: str
    scores: Mapping[str, Mapping[str, float]]
    agreement: float
    risks: Mapping[str, float]
    errors: Mapping[str, Mapping[str, float]]
    correlations: Mapping[str, float]
    missed: Mapping[str, float]
    distance: float
    reliability: Reliability | None = None


def judge_case(
    case: str,
    patient: str,
    found: Predicted,
    question: Question,
    learnt: Validation,
    tolerance_mm: float | None = None,
) -> JudgedCase:
    """All figures of one case that are asked for."""
    asked, known = question.applications, bool(found.raters)
    ambiguous = "ambiguity" in asked and len(found.raters) > 1
    calibrated = "calibration" in asked and known
    errors, raw = _errors(found, question, learnt) if calibrated else ({}, None)
    return JudgedCase(
        case,
        patient,
        _scores(found, question, learnt),
        found.agreement if AGREEMENT in question.aggregations else math.nan,
        _risks(found, question, tolerance_mm) if "failure detection" in asked and known else {},
        errors,
        _correlations(found, question) if ambiguous else {},
        _missed(found, question, learnt) if known else {},
        _distance(found, question) if ambiguous else math.nan,
        raw,
    )


def _scores(
    found: Predicted, question: Question, learnt: Validation
) -> dict[str, dict[str, float]]:
    """Those of the maps over all classes, then of each class's own where they are asked for."""
    asked = question.aggregations
    over = _Region.of(found, found.foreground, asked)
    scores = {
        measure: over.scores(u, asked, learnt.threshold.get(measure))
        for measure, u in found.maps.items()
    }
    if found.of_class is None:
        return scores
    for name, index in question.classes.items():
        own = _Region.of(found, found.labels == index, asked)
        for measure, u in found.of_class(index).items():
            scores[f"{measure} of {name}"] = own.scores(u, asked)
    return scores


class _Region(NamedTuple):
    """What is predicted, (d, h, w), and how near voxels are to its boundary, if that is asked."""

    predicted: NDArray[np.bool_]
    near: NDArray[np.float64] | None

    @classmethod
    def of(cls, found: Predicted, predicted: NDArray[np.bool_], asked: Sequence[str]) -> "_Region":
        """A voxel of unknown size has 1 mm."""
        spacing = (1.0,) * predicted.ndim if math.isnan(found.spacing_mm[0]) else found.spacing_mm
        return cls(predicted, boundary_weights(predicted, spacing) if "boundary" in asked else None)

    def scores(
        self, u: NDArray[np.float32], asked: Sequence[str], threshold: float | None = None
    ) -> dict[str, float]:
        """Aggregation → score of a map."""
        near = self.near
        ways: dict[str, Callable[[], float]] = {
            "image sum": lambda: image_sum(u),
            "image mean": lambda: image_mean(u),
            "patch maximum": lambda: patch_maximum(u).sum,
            "threshold": lambda: math.nan if threshold is None else threshold_mean(u, threshold),
            "foreground": lambda: foreground_mean(u, self.predicted),
            "boundary": lambda: math.nan if near is None else weighted_mean(u, near),
        }
        return {name: way() for name, way in ways.items() if name in asked}


def _risks(found: Predicted, question: Question, tolerance_mm: float | None) -> dict[str, float]:
    risks = {"1 − Dice": 1 - found.dice(question)}
    if tolerance_mm is not None:
        nsd = [_nsd(found, rater, question, tolerance_mm) for rater in found.raters]
        risks["1 − NSD"] = 1 - float(nanmean(np.array(nsd), axis=0))
    return risks


def _nsd(found: Predicted, rater: NDArray[Any], question: Question, tolerance_mm: float) -> float:
    kept = np.ones(rater.shape, bool) if question.ignored is None else rater != question.ignored
    ours, theirs = (np.ascontiguousarray(side * kept, np.uint8) for side in (found.labels, rater))
    scores = evaluate(ours, theirs, question.classes, found.spacing_mm, tolerance_mm)
    return float(nanmean(np.array([own.nsd for own in scores.values()]), axis=0))


def _errors(
    found: Predicted, question: Question, learnt: Validation
) -> tuple[dict[str, dict[str, float]], Reliability]:
    """Of each confidence, and the bins of the mean probability."""
    right, trials = found.judged(question)
    raw = reliability(right, found.mean.max(axis=0), trials)
    errors = {RAW: _told(raw)}
    for measure, platt in learnt.platt.items():
        confidence = platt.confidence(found.maps[measure])
        errors[measure] = _told(reliability(right, confidence, trials))
    for name, index in question.classes.items():
        ours = sum((rater == index for rater in found.raters), np.zeros(trials.shape, np.int64))
        own = reliability(ours, found.mean[index], trials)
        errors[f"probability of {name}"] = _told(own)
    return errors, raw


def _told(bins: Reliability) -> dict[str, float]:
    return {"ACE": bins.ace, "ECE": bins.ece}


def _missed(found: Predicted, question: Question, learnt: Validation) -> dict[str, float]:
    return {
        name: float(found.missed(question.classes[name], np.array([threshold]))[0])
        for name, threshold in learnt.controlled.items()
    }


def _correlations(found: Predicted, question: Question) -> dict[str, float]:
    variance = sum(
        (found.masks(index, question)[1].variance for index in question.classes.values()),
        np.zeros(found.labels.shape),
    )
    return {
        measure: normalised_cross_correlation(variance, own) for measure, own in found.maps.items()
    }


def _distance(found: Predicted, question: Question) -> float:
    masks = (found.masks(index, question) for index in question.classes.values())
    return float(np.mean([energy_distance(*both) for both in masks]))
