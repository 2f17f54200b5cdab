"""What the doubt of every arm is worth, and whether pre-training changes it."""

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.analyses.groups import Run, Where
from voxbench.analyses.read import by_arm
from voxbench.records import ScoredRecord
from voxbench.records.uncertainty import UncertainCase, UncertaintyRecord, uncertainty_in
from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.bootstrap import Sample, infer_mean
from voxbench.stats.inference import joined, judge
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.stats.paired import effect_verdict
from voxbench.uncertainty.failure import detect_failures
from voxbench.uncertainty.pseudo import pseudo_values

MARGIN = 0.01  # of figures in 0 … 1: what counts as practically the same
_AGREEMENT = "pairwise Dice"
_FAILURE = "AURC", "E-AURC", "AUGRC"


class What(NamedTuple):
    """A figure of an application; see `docs/uncertainty.md`."""

    application: str
    figure: str
    measure: str
    aggregation: str

    @property
    def sign(self) -> int:
        """+1 where more is better, −1 where less is, 0 where neither is."""
        return {"risk control": 0, "ambiguity": 1 if self.figure == "NCC" else -1}.get(
            self.application, -1
        )

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest that there can be."""
        return {"NCC": (-1.0, 1.0), "GED²": (-2.0, 2.0)}.get(self.figure, (0.0, 1.0))


@dataclass(frozen=True)
class Doubt:
    """An arm at one fraction of one task as a prediction model doubts it.

    Attributes:
        where: what it shares with the arms it is compared with.
        arm: its label.
        twin: the label of its scratch twin; None for scratch.
        model: name and fields, what was asked of it, and the seeds that predict together.
        runs: draw and seed, the first of several → record.
    """

    where: Where
    arm: str
    twin: str | None
    model: str
    runs: Mapping[Run, UncertaintyRecord]

    @property
    def label(self) -> str:
        """The model as tables call it."""
        (name, fields), _, seeds = json.loads(self.model)
        told = ",".join(f"{key}={value}" for key, value in fields.items())
        options, together = f"[{told}]" if told else "", f" of {len(seeds)}" if seeds else ""
        return f"{name}{options}{together}"

    def values(self) -> dict[What, dict[Run, dict[str, float]]]:
        """Figure → run → patient → value; an area has pseudo-values."""
        found: dict[What, dict[Run, dict[str, float]]] = defaultdict(dict)
        for run, record in self.runs.items():
            for what, own in _figures(record.test):
                found[what][run] = own
        return found


@dataclass(frozen=True)
class DoubtRow:
    """One figure of an arm beside its twin's.

    Attributes:
        value: with its 95% interval over patients and runs.
        effect: arm − twin on the patients and runs that both have, with an interval that holds at
            once with those of all rows of this figure.
        verdict: better, worse, equivalent, undecided; "" where nothing is compared.
        patients: that the value is defined of.
    """

    where: Where
    arm: str
    model: str
    what: What
    value: Interval
    effect: Interval
    verdict: str
    patients: int
    runs: int


def doubts_in(folder: Path, records: Sequence[ScoredRecord]) -> list[Doubt]:
    """What is kept of uncertainty in an output folder, by arm and model.

    Raises:
        RecordError: a file can't be read.
    """
    arms = {
        record.key: (where, arm, record.arm.twin)
        for (where, arm), own in by_arm(records).items()
        for record in own
    }
    found: dict[tuple[Where, str, str | None, str], dict[Run, UncertaintyRecord]] = defaultdict(
        dict
    )
    for one in uncertainty_in(folder):
        if one.cells[0] in arms:
            together = one.seeds if len(one.seeds) > 1 else None
            model = json.dumps([one.model, one.asked, together], sort_keys=True)
            found[*arms[one.cells[0]], model][Run(one.arm.draw, one.seeds[0])] = one
    return [Doubt(*own, runs) for own, runs in sorted(found.items(), key=lambda item: str(item[0]))]


def doubt_rows(doubts: Sequence[Doubt]) -> list[DoubtRow]:
    """Every figure of every arm, with its effect against the scratch twin."""
    values = [doubt.values() for doubt in doubts]
    known = {(d.where, d.arm, d.model): own for d, own in zip(doubts, values, strict=True)}
    rows: dict[tuple[str, str], list[tuple[DoubtRow, Sample]]] = defaultdict(list)
    for doubt, own in zip(doubts, values, strict=True):
        twins = known.get((doubt.where, doubt.twin or "", doubt.model), {})
        for what, ours in own.items():
            row = _row(doubt, what, ours)
            pair = _difference(ours, twins.get(what, {}))
            rows[what.application, what.figure].append((row, pair))
    return [row for family in rows.values() for row in _judged(family)]


def _judged(family: Sequence[tuple[DoubtRow, Sample]]) -> Iterator[DoubtRow]:
    """Effects whose intervals hold at once."""
    found = judge(joined([infer_mean(pair) for _, pair in family]))
    for (row, pair), own in zip(family, found, strict=True):
        patients = int((~np.isnan(pair.values)).any(axis=1).sum())
        sign = row.what.sign
        word = effect_verdict(own.together, patients, MARGIN, sign) if patients and sign else ""
        effect = own.together if patients else UNDEFINED
        yield DoubtRow(
            row.where, row.arm, row.model, row.what, row.value, effect, word, row.patients, row.runs
        )


def _row(doubt: Doubt, what: What, ours: Mapping[Run, Mapping[str, float]]) -> DoubtRow:
    own = _sample(ours, sorted(ours), _patients(ours))
    [value] = infer_mean(own).intervals()
    patients = int((~np.isnan(own.values)).any(axis=1).sum())
    where = doubt.where, doubt.arm, doubt.label, what
    return DoubtRow(*where, value.within(*what.bounds), UNDEFINED, "", patients, len(ours))


def _difference(
    ours: Mapping[Run, Mapping[str, float]], theirs: Mapping[Run, Mapping[str, float]]
) -> Sample:
    """Arm − twin, (patient, run), of what both have."""
    runs = sorted(run for run in ours if run in theirs)
    there = {*_patients(theirs)}
    patients = [patient for patient in _patients(ours) if patient in there]
    one, other = (_sample(side, runs, patients) for side in (ours, theirs))
    return Sample(one.values - other.values, one.draws)


def _patients(values: Mapping[Run, Mapping[str, float]]) -> list[str]:
    return sorted({patient for own in values.values() for patient in own})


def _sample(
    values: Mapping[Run, Mapping[str, float]], runs: Sequence[Run], patients: Sequence[str]
) -> Sample:
    table = [[values[run].get(patient, math.nan) for run in runs] for patient in patients]
    found: Array = np.array(table, np.float64).reshape(len(patients), len(runs))
    return Sample(found, tuple(run.draw for run in runs))


def _figures(cases: Sequence[UncertainCase]) -> Iterator[tuple[What, dict[str, float]]]:
    """Figure → patient → value of one run."""
    scores: dict[tuple[str, str], Array] = {
        (measure, name): np.array([case.scores[measure][name] for case in cases])
        for measure, own in cases[0].scores.items()
        for name in own
    }
    scores[_AGREEMENT, ""] = np.array([-case.agreement for case in cases])
    for title, risk in _risks(cases).items():
        for (measure, name), score in scores.items():
            known = ~np.isnan(risk) & ~np.isnan(score)
            for figure, own in _areas(cases, risk, score, known).items():
                yield What("failure detection", f"{figure} of {title}", measure, name), own
    for name, errors in cases[0].errors.items():
        for figure in errors:
            found = [case.errors[name][figure] for case in cases]
            yield What("calibration", figure, name, ""), _means(cases, found)
    for name in cases[0].missed:
        missed = [case.missed[name] for case in cases]
        yield What("risk control", "missed", f"probability of {name}", ""), _means(cases, missed)
    correlated = {measure: None for case in cases for measure in case.correlations}
    for measure in correlated:
        found = [case.correlations.get(measure, math.nan) for case in cases]
        yield What("ambiguity", "NCC", measure, ""), _means(cases, found)
    if correlated:
        distances = [case.distance for case in cases]
        yield What("ambiguity", "GED²", "members", ""), _means(cases, distances)


def _risks(cases: Sequence[UncertainCase]) -> dict[str, Array]:
    """1 − the mean over the defined classes of each case."""
    every = [list(case.scored.classes.values()) for case in cases]
    dice, nsd = (
        np.array([nanmean(np.array([getattr(s, name) for s in own]), axis=0) for own in every])
        for name in ("dice", "nsd")
    )
    return {"1 − Dice": 1 - dice, "1 − NSD": 1 - nsd}


def _areas(
    cases: Sequence[UncertainCase], risk: Array, score: Array, known: NDArray[np.bool_]
) -> dict[str, dict[str, float]]:
    """Figure → patient → pseudo-value, of the cases in which both are defined."""
    who = [case.scored.patient for case, there in zip(cases, known, strict=True) if there]
    if not who:
        return {}
    ours, doubt = risk[known], score[known]
    figure: Callable[[Any], Sequence[float]] = lambda at: detect_failures(ours[at], -doubt[at])  # noqa: E731
    values = pseudo_values(figure, who)
    return {
        name: dict(zip(sorted({*who}), column.tolist(), strict=True))
        for name, column in zip(_FAILURE, values.T, strict=True)
    }


def _means(cases: Sequence[UncertainCase], values: Sequence[float]) -> dict[str, float]:
    """Patient → mean over cases; NaN where none is defined."""
    found: dict[str, list[float]] = defaultdict(list)
    for case, value in zip(cases, values, strict=True):
        found[case.scored.patient].append(value)
    return {patient: float(nanmean(np.array(own), axis=0)) for patient, own in found.items()}
