"""A linear mixed-effects model of two arms: arms fixed, tasks and patients random."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from voxbench.errors import SpecError
from voxbench.stats.arrays import Array


@dataclass(frozen=True)
class MixedModel:
    """What the model says.

    Attributes:
        effect, low, high: A − B, with Wald's 95% interval.
        p: Wald's, two-sided.
        deviation_task, deviation_patient, deviation_rest: of the random parts, in the metric's
            unit; NaN for tasks where there is one.
        scores: patients × arms behind it; left_out: those without a score.
        warnings: of the fit, in its words; with any, read the bootstrap instead.
    """

    effect: float
    low: float
    high: float
    p: float
    deviation_task: float
    deviation_patient: float
    deviation_rest: float
    scores: int
    left_out: int
    warnings: tuple[str, ...]


def fit_mixed(tasks: Sequence[tuple[Array, Array]]) -> MixedModel:
    """Fit score ~ arm + (1 | task) + (1 | task:patient) by REML.

    The model takes the rest for normal with one variance, which bounded scores are not: it stands
    beside the bootstrap, not in its place (Bates et al. 2015, doi:10.18637/jss.v067.i01).

    Args:
        tasks: of each the scores of A and of B, (patient,), by the same patients; NaN is undefined.

    Raises:
        SpecError: statsmodels is not installed.
    """
    rows = [
        (task, f"{task}:{patient}", float(arm == 0), score)
        for task, arms in enumerate(tasks)
        for patient, scores in enumerate(zip(*arms, strict=True))
        for arm, score in enumerate(scores)
    ]
    known = [row for row in rows if not np.isnan(row[3])]
    scores = np.array([row[3] for row in known])
    design = np.array([[1.0, row[2]] for row in known])
    fit, told = _fit(scores, design, [row[0] for row in known], [row[1] for row in known])
    several = len(tasks) > 1
    deviations = np.sqrt([*np.ravel(fit.cov_re), *fit.vcomp, fit.scale])
    low, high = fit.conf_int()[1]
    return MixedModel(
        effect=float(fit.fe_params[1]),
        low=float(low),
        high=float(high),
        p=float(fit.pvalues[1]),
        deviation_task=float(deviations[0]) if several else float("nan"),
        deviation_patient=float(deviations[1] if several else deviations[0]),
        deviation_rest=float(deviations[-1]),
        scores=len(known),
        left_out=len(rows) - len(known),
        warnings=told,
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
