"""Does choosing by doubt pay off? Rounds of active learning beside cases drawn at random."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from voxbench.analyses.by_run import (
    Paired,
    mean_by_patient,
    paired,
    patients_in,
    patients_of,
    whole_sample,
)
from voxbench.analyses.empties import measured
from voxbench.analyses.groups import Run, Where
from voxbench.analyses.read import by_arm
from voxbench.analyses.table import Column, Table, as_row, interval_column, number, plain_columns
from voxbench.analyses.uncertainty.doubts import model_label
from voxbench.records import ScoredRecord
from voxbench.records.active import ActiveRecord, ActiveRecords
from voxbench.records.scored import scores_of
from voxbench.records.scores import Scores
from voxbench.stats.arrays import nanmean
from voxbench.stats.bootstrap import infer_each
from voxbench.stats.inference import Judged, judge
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.stats.paired import effect_verdict
from voxbench.uncertainty.active import improvement

MARGIN = 0.01  # of Dice
_RANDOM = "random"


class Place(NamedTuple):
    """A strategy of an arm after a round, by a budget a round and a prediction model."""

    where: Where
    arm: str
    model: str
    budget: str
    strategy: str
    round: int


@dataclass(frozen=True)
class RoundRow:
    """What a strategy came to.

    Attributes:
        budget: cases or slices of a round.
        labelled: cases that were trained on, mean over runs.
        dice: mean over test patients and runs.
        gain: strategy − random after the same round, on the patients and runs that both have, with
            an interval that holds at once with those of all rows.
        improvement: the gain as a share of the Dice before the first round (ValUES).
        verdict: better, worse, equivalent, undecided; "" of random.
    """

    where: Where
    arm: str
    model: str
    budget: str
    strategy: str
    round: int
    labelled: float
    dice: Interval
    gain: Interval
    improvement: float
    verdict: str
    patients: int
    runs: int


def round_rows(folder: Path, records: Sequence[ScoredRecord]) -> list[RoundRow]:
    """Every round of every strategy in an output folder.

    Raises:
        RecordError: a file can't be read.
    """
    found = _rounds_in(folder, records)
    places = sorted(found, key=str)
    values = infer_each([whole_sample(found[p].dice, found[p].folds) for p in places]).intervals()
    compared = [place for place in places if place.strategy != _RANDOM]
    pairs = [_beside_random(place, found) for place in compared]
    judged = judge(infer_each([pair.difference for pair in pairs]))
    gains = dict(zip(compared, zip(pairs, judged, strict=True), strict=True))
    return [
        _row(place, found[place], value.within(0.0, 1.0), *gains.get(place, (None, None)))
        for place, value in zip(places, values, strict=True)
    ]


@dataclass
class _Rounds:
    """What was found at a place.

    Attributes:
        dice: run → patient → Dice; before: that of the cells which the rounds start from.
        folds: patient → fold of a cross-validation.
        labelled: cases that were trained on, of each training.
    """

    dice: dict[Run, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    before: dict[Run, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    folds: dict[str, int] = field(default_factory=dict)
    labelled: list[int] = field(default_factory=list)

    def add(self, one: ActiveRecord, cell: ScoredRecord) -> None:
        """Take a round of a training, which tests the patients of one fold."""
        run, dice = Run(one.arm.draw, one.arm.seed), _dice(Scores.of(one.cases))
        self.dice[run] |= dice
        self.before[run] |= _dice(scores_of(cell))
        self.labelled.append(len(one.labelled))
        if one.arm.fold is not None:
            self.folds |= dict.fromkeys(dice, one.arm.fold)


def _rounds_in(folder: Path, records: Sequence[ScoredRecord]) -> dict[Place, _Rounds]:
    cells = {r.key: (where, arm, r) for (where, arm), own in by_arm(records).items() for r in own}
    found: dict[Place, _Rounds] = defaultdict(_Rounds)
    for one in ActiveRecords(folder):
        if one.cell in cells:
            # the strategy that draws cases needs no model, and stands beside every one
            name = "" if one.strategy == _RANDOM else model_label(*one.model)
            where, arm, cell = cells[one.cell]
            found[Place(where, arm, name, _budget(one), one.strategy, one.round)].add(one, cell)
    return found


def _budget(one: ActiveRecord) -> str:
    return f"{one.budget} {'slices' if one.in_slices else 'cases'}"


def _beside_random(place: Place, found: Mapping[Place, _Rounds]) -> Paired:
    drawn = found.get(place._replace(model="", strategy=_RANDOM), _Rounds())
    return paired(found[place].dice, drawn.dice, found[place].folds)


def _row(
    place: Place, rounds: _Rounds, dice: Interval, pair: Paired | None, gain: Judged | None
) -> RoundRow:
    patients = patients_in(pair.difference) if pair else 0
    told = gain.together.within(-1.0, 1.0) if gain and patients else UNDEFINED
    return RoundRow(
        **place._asdict(),
        labelled=float(np.mean(rounds.labelled)),
        dice=dice,
        gain=told,
        improvement=_improvement(rounds, pair) if pair and patients else math.nan,
        verdict=effect_verdict(told, patients, MARGIN, 1) if patients else "",
        patients=len(patients_of(rounds.dice)),
        runs=len(rounds.dice),
    )


def _improvement(rounds: _Rounds, pair: Paired) -> float:
    before = whole_sample({run: rounds.before[run] for run in pair.runs})
    queried, drawn = nanmean(pair.means, axis=1).tolist()
    return improvement(float(nanmean(nanmean(before.values, axis=1), axis=0)), queried, drawn)


def _dice(scores: Scores) -> dict[str, float]:
    """Patient → mean over cases of the mean over classes, where the reference has them."""
    dice, *_ = measured(scores)
    by_case = [
        float(nanmean(dice[scores.case == case], axis=0)) for case in range(len(scores.cases))
    ]
    return mean_by_patient(scores.patients, by_case)


def round_table(rows: Sequence[RoundRow]) -> Table:
    """A row for each strategy and round."""
    return Table(
        "active-learning",
        "Active learning",
        "Dice on the test cases after each round in which the budget was labelled: by the "
        "score of doubt of the last round's network, or at random. The gain is strategy − "
        "random after the same round, on the patients and runs that both have, equivalent within "
        f"±{MARGIN:g}; intervals hold at once for all rows (Bonferroni). The improvement is the "
        "gain as a share of the Dice before the first round (Kahl et al., ICLR 2024).",
        [
            *plain_columns("task", "fraction", "arm", "strategy", "model", "budget"),
            *(Column(name, show=number(0), number=True) for name in ("round", "labelled")),
            interval_column("Dice [95%]", "dice", 3),
            interval_column("strategy − random [95%, all rows]", "gain", 3, signed=True),
            Column("improvement", show=number(3, signed=True), number=True),
            *plain_columns("verdict"),
            *(Column(name, show=number(0), number=True) for name in ("patients", "runs")),
        ],
        [as_row(row) for row in rows],
    )
