"""Does choosing by doubt pay off? Rounds of active learning beside cases drawn at random."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from voxbench.analyses.groups import Run, Where
from voxbench.analyses.read import by_arm
from voxbench.analyses.table import Column, Table, as_row, interval_column, number, plain_columns
from voxbench.records import ScoredRecord
from voxbench.records.active import ActiveRecord, ActiveRecords
from voxbench.records.record import CaseScores
from voxbench.stats.arrays import nanmean
from voxbench.stats.bootstrap import Sample, infer_each
from voxbench.stats.inference import judge
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.stats.paired import effect_verdict

MARGIN = 0.01  # of Dice
_RANDOM = "random"


class Place(NamedTuple):
    """A strategy of an arm after a round, by a budget a round and a prediction model."""

    where: Where
    arm: str
    model: str
    budget: int
    strategy: str
    round: int


@dataclass(frozen=True)
class RoundRow:
    """What a strategy came to.

    Attributes:
        labelled: cases that were trained on, mean over runs.
        dice: mean over test patients and runs.
        gain: strategy − random after the same round, on the patients and runs that both have, with
            an interval that holds at once with those of all rows.
        verdict: better, worse, equivalent, undecided; "" of random.
    """

    where: Where
    arm: str
    model: str
    budget: int
    strategy: str
    round: int
    labelled: float
    dice: Interval
    gain: Interval
    verdict: str
    patients: int
    runs: int


def round_rows(folder: Path, records: Sequence[ScoredRecord]) -> list[RoundRow]:
    """Every round of every strategy in an output folder.

    Raises:
        RecordError: a file can't be read.
    """
    arms = {r.key: (where, arm) for (where, arm), own in by_arm(records).items() for r in own}
    found: dict[Place, dict[Run, ActiveRecord]] = defaultdict(dict)
    for one in ActiveRecords(folder):
        if one.cell in arms:
            # the strategy that draws cases needs no model, and stands beside every one
            name = "" if one.strategy == _RANDOM else one.model[0]
            where, arm = arms[one.cell]
            place = Place(where, arm, name, one.budget, one.strategy, one.round)
            found[place][Run(one.arm.draw, one.arm.seed)] = one
    places = sorted(found, key=str)
    drawn = [found.get(p._replace(model="", strategy=_RANDOM), {}) for p in places]
    pairs = [_difference(found[p], other) for p, other in zip(places, drawn, strict=True)]
    values = infer_each([_sample(found[p], sorted(found[p])) for p in places]).intervals()
    compared = [at for at, place in enumerate(places) if place.strategy != _RANDOM]
    judged = judge(infer_each([pairs[at] for at in compared]))
    gains = dict(zip(compared, (own.together for own in judged), strict=True))
    return [
        _row(place, found[place], values[at], pairs[at], gains.get(at, UNDEFINED))
        for at, place in enumerate(places)
    ]


def _row(
    place: Place,
    runs: Mapping[Run, ActiveRecord],
    dice: Interval,
    pair: Sample,
    gain: Interval,
) -> RoundRow:
    patients = int((~np.isnan(pair.values)).any(axis=1).sum())
    compared = place.strategy != _RANDOM and patients > 0
    return RoundRow(
        where=place.where,
        arm=place.arm,
        model=place.model,
        budget=place.budget,
        strategy=place.strategy,
        round=place.round,
        labelled=float(np.mean([len(one.labelled) for one in runs.values()])),
        dice=dice.within(0.0, 1.0),
        gain=gain,
        verdict=effect_verdict(gain, patients, MARGIN, 1) if compared else "",
        patients=len({case.patient for one in runs.values() for case in one.cases}),
        runs=len(runs),
    )


def _difference(ours: Mapping[Run, ActiveRecord], theirs: Mapping[Run, ActiveRecord]) -> Sample:
    runs = sorted(run for run in ours if run in theirs)
    one, other = (_sample(side, runs) for side in (ours, theirs))
    return Sample(one.values - other.values, one.draws)


def _sample(records: Mapping[Run, ActiveRecord], runs: Sequence[Run]) -> Sample:
    """Mean Dice, (patient, run); the test cases of a task are the same for all."""
    by_run = [_dice(records[run].cases) for run in runs]
    patients = sorted({patient for own in by_run for patient in own})
    table = [[own.get(patient, math.nan) for own in by_run] for patient in patients]
    values = np.array(table, np.float64).reshape(len(patients), len(runs))
    return Sample(values, tuple(run.draw for run in runs))


def _dice(cases: Sequence[CaseScores]) -> dict[str, float]:
    """Patient → mean over cases of the mean over classes."""
    found: dict[str, list[float]] = defaultdict(list)
    for case in cases:
        dice = np.array([score.dice for score in case.classes.values()])
        found[case.patient].append(float(nanmean(dice, axis=0)))
    return {patient: float(nanmean(np.array(own), axis=0)) for patient, own in found.items()}


def round_table(rows: Sequence[RoundRow]) -> Table:
    """A row for each strategy and round."""
    return Table(
        "active-learning",
        "Active learning",
        "Dice on the test cases after each round in which the budget of cases was labelled: by "
        "the score of doubt of the last round's network, or at random. The gain is strategy − "
        "random after the same round, on the patients and runs that both have, equivalent within "
        f"±{MARGIN:g}; intervals hold at once for all rows (Bonferroni).",
        [
            *plain_columns("task", "fraction", "arm", "strategy", "model"),
            *(
                Column(name, show=number(0), number=True)
                for name in ("budget", "round", "labelled")
            ),
            interval_column("Dice [95%]", "dice", 3),
            interval_column("strategy − random [95%, all rows]", "gain", 3, signed=True),
            *plain_columns("verdict"),
            *(Column(name, show=number(0), number=True) for name in ("patients", "runs")),
        ],
        [as_row(row) for row in rows],
    )
