"""Exact segmentation metrics on integer label maps: pure functions that need numpy and numba only.

`evaluate` scores every class of a case; `evaluate_masks` takes one mask a class; `worst` is what a
failed prediction gets; `legacy` holds the protocols of published numbers.
"""

from bench.metrics.case import EPSILON, ClassScore, Definition
from bench.metrics.evaluate import evaluate, evaluate_masks, worst

VERSION = "1"
"""Version of the definitions, stamped into every record: raised when any number may change."""

__all__ = [
    "EPSILON",
    "VERSION",
    "ClassScore",
    "Definition",
    "evaluate",
    "evaluate_masks",
    "worst",
]
