"""Every figure of a run, as a value a patient: areas enter by jackknife pseudo-values."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.analyses.by_run import ByPatient, mean_by_patient
from voxbench.records.uncertainty import UncertainCase, UncertaintyRecord
from voxbench.stats.arrays import Array, nanmean
from voxbench.uncertainty.detection import detect
from voxbench.uncertainty.failure import detect_failures
from voxbench.uncertainty.names import AGREEMENT, DETECTION, FAILURE
from voxbench.uncertainty.pseudo import pseudo_values

IID = "i.i.d."
ANY = "any shift"
_AREAS = DETECTION[:2]  # a rate at a quantile has no pseudo-values


class What(NamedTuple):
    """A figure of an application; see `docs/uncertainty.md`.

    Attributes:
        application, figure, measure, aggregation: by their names.
        cases: whose: a shift, any of them, an external test set, or i.i.d.; "" all test cases. OoD
            detection tells them from the test cases without a shift.
    """

    application: str
    figure: str
    measure: str
    aggregation: str
    cases: str = ""


class Scored(NamedTuple):
    """Cases with one score each, as an application takes them.

    Attributes:
        score: of doubt, (case,).
        against: the risk, or whether a case is out of distribution, (case,).
        patients: of each case.
    """

    score: Array
    against: Array
    patients: list[str]

    @property
    def defined(self) -> "Scored":
        """The cases in which both are defined."""
        known = ~np.isnan(self.score) & ~np.isnan(self.against)
        who = [patient for patient, there in zip(self.patients, known, strict=True) if there]
        return Scored(self.score[known], self.against[known], who)


Judge = Callable[[Array, Array], Sequence[float]]


def strange_sets(record: UncertaintyRecord) -> dict[str, list[UncertainCase]]:
    """The cases of another distribution than training: by shift, and by external test set."""
    found: dict[str, list[UncertainCase]] = defaultdict(list)
    shifted = [case for case in record.test if case.shift]
    for case in shifted:
        found[case.shift].append(case)
    several = {ANY: shifted} if len(found) > 1 else {}
    return {**several, **found, **record.external}


def figures(record: UncertaintyRecord) -> Iterator[tuple[What, ByPatient]]:
    """Figure → patient → value, of all that was asked of a run."""
    yield from _detections(record)
    if "failure detection" in record.asked.get("applications", []):
        yield from _failures(record)
    yield from _calibration(record.test)
    yield from _ambiguity(record.test)


def _detections(record: UncertaintyRecord) -> Iterator[tuple[What, ByPatient]]:
    for what, scored in detections(record):
        for figure, own in _pseudo(scored, lambda score, ood: detect(score, ood)[:2], _AREAS):
            yield what._replace(figure=figure), own


def detections(record: UncertaintyRecord) -> Iterator[tuple[What, Scored]]:
    """The cases without a shift, beside those of each strange set, by every score; if asked for."""
    if "OoD detection" not in record.asked.get("applications", []):
        return
    known = [case for case in record.test if not case.shift]
    for name, cases in strange_sets(record).items():
        who = [case.scored.patient for case in known]
        # a patient of another data set is another one, whatever its name
        prefix = f"{name}: " if name in record.external else ""
        who += [prefix + case.scored.patient for case in cases]
        ood = np.arange(len(who)) >= len(known)
        for measure, aggregation, scores in _scores_of([*known, *cases]):
            what = What("OoD detection", "", measure, aggregation, name)
            yield what, Scored(scores, ood.astype(np.float64), who)


def _failures(record: UncertaintyRecord) -> Iterator[tuple[What, ByPatient]]:
    for what, scored in failures(record):
        titles = [f"{name} of {what.figure}" for name in FAILURE]
        for figure, own in _pseudo(scored, lambda u, risk: detect_failures(risk, -u), titles):
            yield what._replace(figure=figure), own


def failures(record: UncertaintyRecord) -> Iterator[tuple[What, Scored]]:
    """The risks of all test cases, and of each part that differs, by every score."""
    strange = strange_sets(record)
    parts = {"": record.test, **strange}
    if any(case.shift for case in record.test):
        parts[IID] = [case for case in record.test if not case.shift]
    for name, cases in parts.items():
        who = [case.scored.patient for case in cases]
        for title, risk in _risks(cases).items():
            for measure, aggregation, scores in _scores_of(cases):
                what = What("failure detection", title, measure, aggregation, name)
                yield what, Scored(scores, risk, who)


def _scores_of(cases: Sequence[UncertainCase]) -> Iterator[tuple[str, str, Array]]:
    """Measure, aggregation, and the score of each case, (case,); higher is less sure."""
    for measure, own in (cases[0].scores if cases else {}).items():
        for name in own:
            yield measure, name, np.array([case.scores[measure][name] for case in cases])
    agreement = np.array([-case.agreement for case in cases])
    if not np.isnan(agreement).all():
        yield AGREEMENT, "", agreement


def _risks(cases: Sequence[UncertainCase]) -> dict[str, Array]:
    """1 − the mean over the defined classes of each case."""
    every = [list(case.scored.classes.values()) for case in cases]
    dice, nsd = (
        np.array([nanmean(np.array([getattr(s, name) for s in own]), axis=0) for own in every])
        for name in ("dice", "nsd")
    )
    return {"1 − Dice": 1 - dice, "1 − NSD": 1 - nsd}


def _pseudo(scored: Scored, judge: Judge, titles: Sequence[str]) -> Iterator[tuple[str, ByPatient]]:
    """Figure → patient → pseudo-value, of the cases in which both are defined."""
    score, against, who = scored.defined
    if not who:
        return
    at: Callable[[NDArray[np.intp]], Sequence[float]] = lambda of: judge(score[of], against[of])  # noqa: E731
    values = pseudo_values(at, who)
    for title, column in zip(titles, values.T, strict=True):
        yield title, dict(zip(sorted({*who}), column.tolist(), strict=True))


def _calibration(cases: Sequence[UncertainCase]) -> Iterator[tuple[What, ByPatient]]:
    for name, errors in cases[0].errors.items():
        for figure in errors:
            found = [case.errors[name][figure] for case in cases]
            yield What("calibration", figure, name, ""), _means(cases, found)
    for name in cases[0].missed:
        missed = [case.missed[name] for case in cases]
        yield What("risk control", "missed", f"probability of {name}", ""), _means(cases, missed)


def _ambiguity(cases: Sequence[UncertainCase]) -> Iterator[tuple[What, ByPatient]]:
    correlated = {measure: None for case in cases for measure in case.correlations}
    for measure in correlated:
        found = [case.correlations.get(measure, math.nan) for case in cases]
        yield What("ambiguity", "NCC", measure, ""), _means(cases, found)
    if correlated:
        distances = [case.distance for case in cases]
        yield What("ambiguity", "GED²", "members", ""), _means(cases, distances)


def _means(cases: Sequence[UncertainCase], values: Sequence[float]) -> ByPatient:
    return mean_by_patient([case.scored.patient for case in cases], values)
