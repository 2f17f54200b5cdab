"""Does a confidence say which cases fail? Risk against coverage.

The k most confident of n cases are accepted: their coverage is k/n, their selective risk the mean
of their risks. AURC is the mean selective risk over k (Geifman, Uziel & El-Yaniv, ICLR 2019),
E-AURC what it exceeds the AURC of a perfect order by, AUGRC the area under coverage × selective
risk (Traub et al., NeurIPS 2024). Tied cases share their mean risk: that is the mean over all
orders of ties. A constant risk r has AURC r, E-AURC 0 and AUGRC r/2.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class FailureDetection(NamedTuple):
    """Areas under curves of risk, all lower is better; NaN of no case."""

    aurc: float
    eaurc: float
    augrc: float


def risk_coverage(risk: NDArray[Any], confidence: NDArray[Any]) -> tuple[Array, Array]:
    """Coverage and selective risk of the k most confident cases, k = 1 … n; each (case,).

    In O(n log n).

    Raises:
        ValueError: a risk or a confidence is undefined.
    """
    if not (np.isfinite(risk).all() and np.isfinite(confidence).all()):
        raise ValueError("risks and confidences must be finite: leave undefined cases out.")
    order = np.argsort(-np.asarray(confidence, np.float64), kind="stable")
    ranked = np.asarray(confidence)[order]
    risks = np.asarray(risk, np.float64)[order]
    starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1])[: len(ranked)])
    ties = np.diff(np.append(starts, len(ranked)))
    if len(ranked):
        risks = np.repeat(np.add.reduceat(risks, starts) / ties, ties)
    accepted = np.arange(1, len(ranked) + 1)
    return accepted / max(1, len(ranked)), np.cumsum(risks) / accepted


def detect_failures(risk: NDArray[Any], confidence: NDArray[Any]) -> FailureDetection:
    """How well a confidence (case,) ranks risks (case,), such as 1 − Dice.

    Raises:
        ValueError: a risk or a confidence is undefined.
    """
    coverage, selective = risk_coverage(risk, confidence)
    if not len(coverage):
        return FailureDetection(*[math.nan] * 3)
    aurc = float(selective.mean())
    perfect = float(risk_coverage(risk, -np.asarray(risk, np.float64))[1].mean())
    generalised = np.append(0.0, coverage * selective)
    augrc = float(np.trapezoid(generalised, dx=1 / len(coverage)))
    return FailureDetection(aurc, aurc - perfect, augrc)
