"""Sequential tests: verdicts after some of the trainings, without naming too many winners.

Testing again after more trainings would find differences that are not there: each test is another
chance. So the error of 5% is divided over a few interim analyses before the first of them, after
about three, five and seven tenths of the trainings and after all, by how many trainings each adds.
They are of the *same* patients, whose own luck never shrinks, so they depend on each other in no
simple way. The shares are therefore added up (Bonferroni over analyses), which holds for any
dependence and any rule of stopping.

Each analysis decides by one interval of the mean, over patients and trainings, of level
1 − 0.05 × share / family, so that those of all declared comparisons hold at once: a winner's
excludes 0, an equivalent's lies inside ±margin. Arms that share a twin are analysed together, and
moderate what seeds vary (`stats.moderated`); one that is settled keeps the trainings it had.

The first analysis that settles a comparison stands. One is given up where the chance that the last
analysis settles it, if the trainings to come are as those so far, is below 20% (stochastic
curtailment, Lan, Simon & Halperin 1982, doi:10.1080/07474948208836014): that names no winner.
tests/benchmarks/racing.py shows that the error is kept, and what a race saves.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.interval import ALPHA, Interval
from voxbench.stats.moderated import Sides, moderate
from voxbench.stats.paired import FEWEST_PATIENTS, interval_verdict
from voxbench.stats.student import Spread, spread

FIRST_INTERIM = 2  # trainings before which nothing is known of the spread between them
LOOKS = (0.3, 0.5, 0.7, 1.0)  # of the trainings
FUTILE = 0.2  # chance of a verdict below which a comparison is given up


class Interim(NamedTuple):
    """What is seen of a comparison after some of its trainings.

    Attributes:
        runs: so many.
        share: of the error that this analysis may spend.
        effect: arm − twin.
        low, high: its interval, of the level that share and family leave.
        p: two-sided, of the mean; divided by the share, and at most 1.
        chance: that the last analysis will settle it.
    """

    runs: int
    share: float
    effect: float
    low: float
    high: float
    p: float
    chance: float = 1.0


class Entry(NamedTuple):
    """A comparison of a race, so far.

    Attributes:
        where: what arms share that are analysed together: patients and twin.
        arms: labels of the arm and its twin.
        runs: trainings that are over, draw and seed, in the declared order.
        scores: of both, (2, patient, run); NaN where a training failed.
        over: no training will follow.
    """

    where: Hashable
    arms: tuple[str, str]
    runs: tuple[tuple[int, int], ...]
    scores: Array
    over: bool = False


class Decision(NamedTuple):
    """What is known of a comparison after some interim analyses.

    Attributes:
        verdict: better, worse, equivalent or undecided.
        interim: the one that settled it, else the last; None before the first.
        p: the smallest p of the analyses so far.
        p_adjusted: the same times the family, and at most 1.
        due: trainings that must be over for the next analysis; 0 where none will follow.
    """

    verdict: str
    interim: Interim | None
    p: float
    p_adjusted: float
    due: int


def error_shares(runs: int) -> list[float]:
    """What an analysis after 2 trainings, after 3, … and after all may spend; 0: there is none."""
    looks = sorted({max(FIRST_INTERIM, math.ceil(part * runs)) for part in LOOKS})
    spent = dict(zip(looks, np.diff(looks, prepend=0) / runs, strict=True))
    return [float(spent.get(look, 0.0)) for look in range(FIRST_INTERIM, runs + 1)]


def decide(
    entries: Sequence[Entry], shares: Sequence[float], margin: float, sign: int = 1
) -> list[Decision]:
    """What is known of each comparison of the declared family.

    An analysis of arms that share a twin is made once all of them that are not settled or given up
    had their trainings, so that it depends on the scores alone, not on when they came.

    Args:
        entries: all that were declared, also those that have no training yet.
        shares: of the error, by analysis.
        margin: of practical equivalence.
        sign: +1 where more is better, −1 where less is.
    """
    together: dict[Hashable, list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        together[entry.where].append(place)
    found: dict[int, Decision] = {}
    for places in together.values():
        race = _Race([entries[place] for place in places], shares, len(entries), margin, sign)
        found.update(zip(places, race.decisions(), strict=True))
    return [found[place] for place in range(len(entries))]


class _Race(NamedTuple):
    """Comparisons that are analysed together."""

    entries: Sequence[Entry]
    shares: Sequence[float]
    family: int
    margin: float
    sign: int

    def decisions(self) -> Iterator[Decision]:
        looks = [
            (look, share) for look, share in enumerate(self.shares, FIRST_INTERIM) if share > 0
        ]
        seen: list[list[Interim]] = [[] for _ in self.entries]
        going = list(range(len(self.entries)))
        due = 0
        for look, share in looks:
            due = look
            if any(self._misses(self.entries[place], look) for place in going):
                break
            upto = [look if place in going else own[-1].runs for place, own in enumerate(seen)]
            for place, interim in zip(going, self._analysis(going, upto, look, share), strict=True):
                seen[place].append(interim)
            going = [place for place in going if self._open(seen[place][-1])]
            due = 0
        for place, own in enumerate(seen):
            yield self._decision(own, due if place in going else 0)

    @staticmethod
    def _misses(entry: Entry, look: int) -> bool:
        return len(entry.runs) < look and not entry.over

    def _analysis(
        self, going: Sequence[int], upto: Sequence[int], look: int, share: float
    ) -> list[Interim]:
        parts = [_part(entry, runs) for entry, runs in zip(self.entries, upto, strict=True)]
        apart = [part.scores[0] - part.scores[1] for part in parts]
        alone = [
            spread(values[None], tuple(draw for draw, _ in part.runs))
            for values, part in zip(apart, parts, strict=True)
        ]
        sides = [
            Sides(part.where, part.arms, part.runs, nanmean(part.scores, axis=1)) for part in parts
        ]
        known = moderate(Spread(*map(np.concatenate, zip(*alone, strict=True))), sides)
        found = []
        for place in going:
            own = Spread(*(part[place : place + 1] for part in known))
            found.append(self._interim(apart[place], own, look, share))
        return found

    def _interim(self, apart: Array, known: Spread, look: int, share: float) -> Interim:
        patients = nanmean(apart, axis=1)
        effect, runs = float(nanmean(patients, axis=0)), apart.shape[1]
        nothing = Interim(look, share, effect, math.nan, math.nan, 1.0)
        if runs < FIRST_INTERIM:
            return nothing
        if (~np.isnan(patients)).sum() < FEWEST_PATIENTS:
            return nothing._replace(chance=0.0)
        [reach] = known.reach(ALPHA / 2 * share / self.family).tolist()
        [p] = known.p(np.array([abs(effect)])).tolist()
        left = len(self.shares) + FIRST_INTERIM - 1 - look
        chance = self._chance(effect, known, runs, left)
        return Interim(
            look, share, effect, effect - reach, effect + reach, min(1.0, p / share), chance
        )

    def _chance(self, effect: float, known: Spread, runs: int, left: int) -> float:
        """That the last analysis gives a verdict, if what is left is like what was seen."""
        kept = runs / (runs + left)
        people = np.maximum(0.0, known.patients - known.noise)
        last = Spread(
            people + kept * known.noise, known.patients_freedom,
            kept * known.runs, known.runs_freedom + left, kept * known.noise,
        )  # fmt: skip
        [reach] = last.reach(ALPHA / 2 * self.shares[-1] / self.family).tolist()
        [freedom] = known.runs_freedom.tolist()
        moves = max(1e-12, math.sqrt(float(known.runs[0]) * (1 - kept)))
        inside, away = self.margin - reach, abs(effect)

        def below(bound: float) -> float:
            return float(special.stdtr(freedom, bound / moves))

        beyond = max(reach, inside)
        wins = below(away - beyond) + below(-away - beyond)
        return wins + (below(inside - away) - below(-inside - away) if inside > 0 else 0.0)

    def _open(self, interim: Interim) -> bool:
        return self._word(interim) == "undecided" and interim.chance >= FUTILE

    def _word(self, interim: Interim) -> str:
        effect = Interval(interim.effect, interim.low, interim.high)
        return interval_verdict(effect, self.margin, self.sign)

    def _decision(self, seen: Sequence[Interim], due: int) -> Decision:
        p = min((1.0, *(interim.p for interim in seen)))
        word = self._word(seen[-1]) if seen else "undecided"
        return Decision(word, seen[-1] if seen else None, p, min(1.0, self.family * p), due)


def _part(entry: Entry, runs: int) -> Entry:
    """The first trainings, of which those that failed are left out."""
    scores = entry.scores[:, :, :runs]
    there = np.flatnonzero(~np.isnan(scores).all(axis=(0, 1)))
    return entry._replace(runs=tuple(entry.runs[run] for run in there), scores=scores[:, :, there])
