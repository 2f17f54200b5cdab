"""A linear mixed-effects model of scores: arms fixed, tasks and patients random."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from voxbench.analyses.ranks.board import Board, patient_means
from voxbench.errors import SpecError
from voxbench.stats.arrays import Array
from voxbench.stats.interval import Interval


@dataclass(frozen=True)
class Mixed:
    """What the model says.

    Attributes:
        reference: the arm that the others are compared with.
        effects: arm → arm − reference, with Wald's 95% interval.
        p: arm → Wald's two-sided p.
        deviation_task, deviation_patient, deviation_rest: of the random parts, in the metric's
            unit; NaN for tasks where there is one.
        scores: patients × arms behind it; left_out: those without a score.
        warnings: of the fit, in its words; with any, read the bootstrap instead.
    """

    reference: str
    effects: dict[str, Interval]
    p: dict[str, float]
    deviation_task: float
    deviation_patient: float
    deviation_rest: float
    scores: int
    left_out: int
    warnings: tuple[str, ...]


def mixed(board: Board, reference: str) -> Mixed:
    """Fit score ~ arm + (1 | task) + (1 | task:patient) to the patients' means over runs, by REML.

    The model takes the rest for normal with one variance, which bounded scores are not: it stands
    beside the bootstrap, not in its place (Bates et al. 2015, doi:10.18637/jss.v067.i01).

    Raises:
        SpecError: statsmodels is not installed, or the arm is not on the board.
    """
    if reference not in board.arms:
        raise SpecError(f"{reference!r} is not on this board: {', '.join(board.arms)}.")
    others = [arm for arm in board.arms if arm != reference]
    rows = [
        (place, f"{place}:{person}", board.arms[arm], score)
        for place, sample in enumerate(board.samples)
        for person, scores in enumerate(patient_means(sample))
        for arm, score in enumerate(scores)
    ]
    known = [row for row in rows if not np.isnan(row[3])]
    scores = np.array([row[3] for row in known])
    design = np.array([[1.0, *(row[2] == arm for arm in others)] for row in known])
    fit, told = _fit(scores, design, [row[0] for row in known], [row[1] for row in known])
    several = len(board.tasks) > 1
    low, high = fit.conf_int()[: len(others) + 1].T
    deviations = np.sqrt([*np.ravel(fit.cov_re), *fit.vcomp, fit.scale])
    return Mixed(
        reference,
        {
            arm: Interval(float(fit.fe_params[i]), float(low[i]), float(high[i]))
            for i, arm in enumerate(others, start=1)
        },
        {arm: float(fit.pvalues[i]) for i, arm in enumerate(others, start=1)},
        float(deviations[0]) if several else float("nan"),
        float(deviations[1] if several else deviations[0]),
        float(deviations[-1]),
        len(known),
        len(rows) - len(known),
        told,
    )


def _fit(
    scores: Array, design: Array, tasks: Sequence[int], patients: Sequence[str]
) -> tuple[Any, tuple[str, ...]]:
    """The fitted model and the warnings it gave."""
    try:
        from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec
    except ImportError:
        raise SpecError(
            "the mixed-effects model needs statsmodels: pip install 'voxbench[mixed]'."
        ) from None
    within = None
    several = len(set(tasks)) > 1
    if several:
        names, matrices = [], []
        for task in sorted(set(tasks)):
            own = [p for t, p in zip(tasks, patients, strict=True) if t == task]
            names.append(sorted(set(own)))
            matrices.append(np.array([[float(p == name) for name in names[-1]] for p in own]))
        within = VCSpec(["patient"], [names], [matrices])
    groups = np.array(tasks if several else patients)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        each = np.ones((len(scores), 1))
        model = MixedLM(scores, design, groups, exog_re=each, exog_vc=within)
        fit = model.fit(reml=True)
    told = [str(item.message) for item in caught]
    if not fit.converged:
        told.append("the fit did not converge")
    return fit, tuple(dict.fromkeys(told))
