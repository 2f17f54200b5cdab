"""What a race said, in the place of tests that would be made on data chosen by stopping."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from voxbench.analyses.effects import Effect
from voxbench.analyses.settings import settings, suffixes
from voxbench.records import Record, Store
from voxbench.records.race import Race, races
from voxbench.stats.metric import Metric, find_metric
from voxbench.stats.race import State, states

Row = tuple[str, str, str, str, str]


def raced(
    declared: Sequence[Race],
    records: Sequence[Record],
    effects: Sequence[Effect],
    metric: Metric,
    margin: float,
) -> list[Effect]:
    """The effects, with the race's verdict, interval and p where a race decided what was run.

    On another metric, or with another margin, the ordinary verdict stays and the note warns: when
    to stop was decided on these patients.
    """
    found = {row: (race, state) for race in declared for row, state in _rows(race, records)}
    told = []
    for effect in effects:
        row = effect.task, effect.adaptation, effect.fraction, effect.setting, effect.arm
        same = row in found and found[row][0].metric == metric.key
        if row not in found or not effect.patients:
            told.append(effect)
        elif same and found[row][0].margin == margin:
            told.append(_raced(effect, found[row][1]))
        else:
            told.append(_noted(effect, _warning(found[row][0])))
    return told


def _rows(race: Race, records: Sequence[Record]) -> Iterator[tuple[Row, State]]:
    """Each comparison that has a record, by the names that it has in tables."""
    by_key = {record.key: record for record in records}
    setting, suffix = settings(records), suffixes(records)
    for state in states(race, by_key):
        comparison = state.comparison
        known = [run.arm for run in comparison.runs if run.arm in by_key]
        done = [key for key in known if by_key[key].status == "ok"] or known
        if done:
            place = comparison.task, comparison.adaptation, comparison.fraction
            yield (*place, setting[done[0]], comparison.arm + suffix[done[0]]), state


def _raced(effect: Effect, state: State) -> Effect:
    standing, look, whole = state.standing, state.standing.look, len(state.comparison.runs)
    if look is None:
        note = f"race: {state.sample.values.shape[1]} of {whole} trainings, not looked at yet"
        return _noted(replace(effect, verdict="undecided"), note)
    seen = f"look {look.runs - 1} of {whole - 1}"
    note = f"settled by racing at {seen}" if state.settled else f"race: undecided at {seen}"
    changed = replace(
        effect,
        effect=look.effect,
        low=look.low,
        high=look.high,
        p=standing.p,
        p_holm=standing.p_holm,
        verdict=standing.verdict,
    )
    return _noted(changed, f"{note}, interval of {1 - 0.05 * look.share:.2%}")


def caution(root: Path) -> str:
    """What a test that knows of no race must be read with; nothing where none was run.

    Raises:
        RecordError: a race's file is damaged.
    """
    found = ", ".join(race.sweep for race in races(root))
    if not found:
        return ""
    return (
        f"races ({found}) chose by their scores which trainings were run: p and verdicts here do "
        f"not control for that; `voxbench report {root}` gives the races' own."
    )


def _warning(race: Race) -> str:
    title = find_metric(race.metric).title
    return (
        f"a race on {title} with margin {race.margin:g} chose when to stop: its error control does "
        "not reach this verdict"
    )


def _noted(effect: Effect, note: str) -> Effect:
    return replace(effect, note="; ".join(filter(None, [note, effect.note])))


def outcome(race: Race, root: Path, missing: int) -> list[str]:
    """How a race ended, in sentences.

    Args:
        race: its declaration.
        root: the output folder.
        missing: cells of its sweep that were not run.
    """
    found = states(race, {record.key: record for record in Store(root)})
    counts = Counter(state.standing.verdict for state in found if state.settled)
    words = ", ".join(f"{count} {word}" for word, count in counts.items())
    lines = [
        f"{counts.total()} of {len(found)} comparisons are settled{f': {words}' if words else ''}."
    ]
    lines += [_unsettled(state) for state in found if not state.settled]
    if missing:
        cells = "1 cell was" if missing == 1 else f"{missing} cells were"
        lines.append(f"{cells} not needed and not run; a run without --until-settled completes it.")
    return lines


def _unsettled(state: State) -> str:
    comparison = state.comparison
    place = f"{comparison.arm} on {comparison.task} at {comparison.fraction}"
    if state.next:
        return f"{place}: undecided, {len(comparison.runs) - state.tried} trainings are missing."
    if state.failed:
        return f"{place}: failed, {state.failed} of its {state.tried} trainings have no result."
    return f"{place}: undecided after all its {state.tried} trainings."
