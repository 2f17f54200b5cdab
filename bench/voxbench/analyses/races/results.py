"""What a race said, in the place of tests that would be made on data chosen by stopping."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from voxbench.analyses.effects import Effect, effects
from voxbench.analyses.pairing import Pair
from voxbench.analyses.races.declaration import Race, races_in
from voxbench.analyses.races.progress import RacedComparison, raced_comparisons
from voxbench.records import Scored, Store
from voxbench.stats.interval import Interval
from voxbench.stats.metric import find_metric
from voxbench.stats.sequential import FUTILE


def raced_effects(
    pairs: Sequence[Pair], races: Sequence[Race], records: Sequence[Scored], margin: float
) -> list[Effect]:
    """The effects, with the race's verdict, interval and p where a race decided what was run.

    On another metric, or with another margin, the ordinary verdict stays and the note warns: when
    to stop was decided on these patients.
    """
    by_key = {record.key: record for record in records}
    found = {
        run.arm: (race, raced)
        for race in races
        for raced in raced_comparisons(race, by_key)
        for run in raced.comparison.runs
    }
    told = []
    for pair, effect in zip(pairs, effects(pairs, margin), strict=True):
        race, raced = next((found[key] for _, key in pair.arm.keys if key in found), (None, None))
        if race is None or raced is None or not effect.patients:
            told.append(effect)
        elif (race.metric, race.margin) == (pair.metric.key, margin):
            told.append(_replaced(pair, effect, raced))
        else:
            told.append(_noted(effect, _warning(race)))
    return told


def _replaced(pair: Pair, effect: Effect, raced: RacedComparison) -> Effect:
    decision, trainings = raced.decision, len(raced.comparison.runs)
    interim = decision.interim
    if interim is None:
        note = f"race: {raced.tried} of {trainings} trainings, not analysed yet"
        return _noted(replace(effect, verdict="undecided"), note)
    seen = f"after {interim.runs} of {trainings} trainings"
    note = f"settled by racing {seen}" if raced.settled else f"race: undecided {seen}"
    if _given_up(raced):
        note = f"race: given up {seen}, more were unlikely to settle it"
    changed = replace(
        effect,
        effect=Interval(interim.effect, interim.low, interim.high),
        p=decision.p,
        p_adjusted=decision.p_adjusted,
        verdict=pair.worded(decision.verdict),
    )
    return _noted(changed, f"{note}, with {interim.share:.1%} of the error")


def _warning(race: Race) -> str:
    title = find_metric(race.metric).title
    return (
        f"a race on {title} with margin {race.margin:g} chose when to stop: its error control does "
        "not reach this verdict"
    )


def _noted(effect: Effect, note: str) -> Effect:
    return replace(effect, note="; ".join(filter(None, [note, effect.note])))


def race_warning(folder: Path) -> str:
    """What a test that knows of no race must be read with; nothing where none was run.

    Raises:
        RecordError: a race's file is damaged.
    """
    found = ", ".join(race.sweep for race in races_in(folder))
    if not found:
        return ""
    return (
        f"races ({found}) chose by their scores which trainings were run: p and verdicts here do "
        f"not control for that; `voxbench report {folder}` gives the races' own."
    )


def describe_race(race: Race, folder: Path, missing: int) -> Iterator[str]:
    """How a race ended, in sentences.

    Args:
        race: its declaration.
        folder: of the records.
        missing: cells of its sweep that were not run.
    """
    found = raced_comparisons(race, {record.key: record for record in Store(folder).scored()})
    counts = Counter(raced.decision.verdict for raced in found if raced.settled)
    words = ", ".join(f"{count} {word}" for word, count in counts.items())
    settled = f"{counts.total()} of {len(found)} comparisons are settled"
    yield f"{settled}: {words}." if words else f"{settled}."
    yield from (_unsettled(raced) for raced in found if not raced.settled)
    if missing:
        cells = "1 cell was" if missing == 1 else f"{missing} cells were"
        yield f"{cells} not needed and not run; a run without --until-settled completes it."


def _given_up(raced: RacedComparison) -> bool:
    interim = raced.decision.interim
    left = interim is not None and interim.runs < len(raced.comparison.runs)
    return left and not raced.settled and not raced.decision.due


def _unsettled(raced: RacedComparison) -> str:
    if _given_up(raced):
        return (
            f"{raced.comparison}: given up after {raced.tried} trainings, the others settle it "
            f"with a chance below {FUTILE:.0%}."
        )
    if raced.decision.due:
        left = len(raced.comparison.runs) - raced.tried
        return f"{raced.comparison}: undecided, {left} trainings are missing."
    if raced.failed:
        lost = f"{raced.failed} of its {raced.tried} trainings have no result"
        return f"{raced.comparison}: failed, {lost}."
    return f"{raced.comparison}: undecided after all its {raced.tried} trainings."
