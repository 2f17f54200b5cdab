"""What the doubt of all cases is worth, with intervals over patients."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.score.uncertainty.judged import AGGREGATIONS, JudgedCase
from voxbench.score.uncertainty.validation import PROMISED
from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.bootstrap import Sample, bootstrap
from voxbench.stats.interval import Interval
from voxbench.uncertainty.detection import Detection, detect
from voxbench.uncertainty.failure import FailureDetection, detect_failures
from voxbench.uncertainty.intervals import over_patients
from voxbench.uncertainty.names import AGREEMENT, DETECTION, FAILURE, bounds_of

Score = Callable[[JudgedCase], float]


class ApplicationFigure(NamedTuple):
    """A figure of an application.

    Attributes:
        application: OoD detection, failure detection, calibration, risk control or ambiguity.
        figure: AUROC, AURC, ACE, …
        measure: whose doubt it is.
        aggregation: how it became one score a case; "" where it did not.
        value: with its 95% interval over patients.
        cases: that count.
        undefined: cases that do not, since their score or their risk is undefined.
    """

    application: str
    figure: str
    measure: str
    aggregation: str
    value: Interval
    cases: int
    undefined: int


def judge_all(
    test: Sequence[JudgedCase], ood: Sequence[JudgedCase] = ()
) -> list[ApplicationFigure]:
    """All that can be said of test cases, and of OoD cases where there are any."""
    found = []
    for measure, aggregation, score in _scores(test):
        if ood:
            found += _detection(measure, aggregation, score, test, ood)
        for risk in test[0].risks:
            found += _failure(measure, aggregation, score, test, risk)
    for name, errors in test[0].errors.items():
        for figure in errors:
            values = np.array([case.errors[name][figure] for case in test])
            found.append(_mean("calibration", figure, name, values, test))
    for name in test[0].missed:
        values = np.array([case.missed[name] for case in test])
        title = f"missed, {PROMISED:.0%} promised"
        found.append(_mean("risk control", title, f"probability of {name}", values, test))
    for measure in test[0].correlations:
        values = np.array([case.correlations[measure] for case in test])
        found.append(_mean("ambiguity", "NCC", measure, values, test))
    if test[0].correlations:
        values = np.array([case.distance for case in test])
        found.append(_mean("ambiguity", "GED²", "members", values, test))
    return found


def _scores(test: Sequence[JudgedCase]) -> Iterator[tuple[str, str, Score]]:
    """Each measure, aggregation and score (higher is less sure) that any case has."""
    for measure in test[0].scores:
        for aggregation in AGGREGATIONS:
            yield (
                measure,
                aggregation,
                lambda case, m=measure, a=aggregation: case.scores[m][a],  # type: ignore[misc]
            )
    yield AGREEMENT, "", lambda case: -case.agreement


def _detection(
    measure: str,
    aggregation: str,
    score: Score,
    test: Sequence[JudgedCase],
    ood: Sequence[JudgedCase],
) -> list[ApplicationFigure]:
    cases = [*test, *ood]
    scores = np.array([score(case) for case in cases])
    strange = np.arange(len(cases)) >= len(test)
    who = [case.patient for case in test] + [f"OoD {case.patient}" for case in ood]
    return _figures(
        "OoD detection", DETECTION, measure, aggregation, (scores, strange), who, detect
    )


def _failure(
    measure: str, aggregation: str, score: Score, test: Sequence[JudgedCase], risk: str
) -> list[ApplicationFigure]:
    scores = np.array([score(case) for case in test])
    risks = np.array([case.risks[risk] for case in test])
    titles = [f"{figure} of {risk}" for figure in FAILURE]
    who = [case.patient for case in test]
    return _figures(
        "failure detection", titles, measure, aggregation, (risks, -scores), who, detect_failures
    )


def _figures(
    application: str,
    titles: Sequence[str],
    measure: str,
    aggregation: str,
    columns: tuple[Array, Array | NDArray[np.bool_]],
    patients: Sequence[str],
    of: Callable[..., Detection | FailureDetection],
) -> list[ApplicationFigure]:
    """Figures of two columns, over the cases in which both are defined."""
    known = ~np.isnan(columns[0]) & ~np.isnan(columns[1])
    if not known.any():
        return []
    first, second = (column[known] for column in columns)
    who = [patient for patient, there in zip(patients, known, strict=True) if there]
    values = over_patients(lambda at: of(first[at], second[at]), who)
    counts = int(known.sum()), int((~known).sum())
    return [
        ApplicationFigure(application, title, measure, aggregation, value, *counts)
        for title, value in zip(titles, values, strict=True)
    ]


def _mean(
    application: str, figure: str, measure: str, values: Array, test: Sequence[JudgedCase]
) -> ApplicationFigure:
    """The mean over patients of the mean over their cases."""
    owner = np.array([case.patient for case in test])
    by_patient = [nanmean(values[owner == patient], axis=0) for patient in np.unique(owner)]
    interval = bootstrap(Sample(np.array(by_patient)[:, None], (0,))).within(*bounds_of(figure))
    known = int((~np.isnan(values)).sum())
    return ApplicationFigure(application, figure, measure, "", interval, known, len(values) - known)
