"""Effects in plain sentences."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from voxbench.analyses.effects import Effect, Overall
from voxbench.analyses.table import interval, number
from voxbench.stats.interval import Interval
from voxbench.stats.metric import FALSE_ALARMS, Metric

_CHAPTERS = {
    "better": "Where pre-training helps",
    "head start": "Where it is ahead of a twin that has not converged",
    "worse": "Where it hurts",
    "behind": "Where it is behind and has not converged",
    "equivalent": "Where it makes no difference that matters",
    "undecided": "Where these runs can't tell",
    "": "What could not be compared",
}


_SIDES = {
    "better": "better than",
    "worse": "worse than",
    "head start": "a head start on",
    "behind": "behind",
}


def effect_summary(effects: Sequence[Effect], metric: Metric, margin: float) -> str:
    """One sentence over all comparisons."""
    compared = [effect for effect in effects if effect.verdict]
    if not compared:
        return "No arm could be compared with its scratch twin."
    counts = Counter(effect.verdict for effect in compared)
    found = ", ".join(f"{counts[word]} {word}" for word in _CHAPTERS if word and counts[word])
    n = len(compared)
    return (
        f"{n} comparison{'s' if n > 1 else ''} with the scratch twin by {metric.title}: {found} "
        f"(equivalent is within ±{margin:g} {_unit(metric)})."
    )


def effect_chapters(
    effects: Sequence[Effect], metric: Metric, recipes: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, list[str]]]:
    """Heading and sentences of each kind of finding, the largest effects first.

    Args:
        effects: of all arms.
        metric: that they are on.
        recipes: (task, setting) → what tells it from the task's others, "" of the only one.
    """
    for word, heading in _CHAPTERS.items():
        found = [effect for effect in effects if effect.verdict == word]
        found.sort(key=lambda effect: -np.nan_to_num(abs(effect.effect.mean)))
        if found:
            settings = [recipes[e.where.task, e.where.setting] for e in found]
            yield (
                heading,
                [
                    effect_sentence(effect, metric, recipe)
                    for effect, recipe in zip(found, settings, strict=True)
                ],
            )


def effect_sentence(effect: Effect, metric: Metric, recipe: str = "") -> str:
    """For instance «X on openkbp at 3 shots: better than scratch by 0.021 Dice [0.010, 0.033]»."""
    told = ", ".join(filter(None, [f"{effect.arm} on {effect.where}", recipe]))
    if not effect.verdict:
        return f"{told}: not compared with {effect.other}: {effect.note}."
    people = f"{effect.patients} patient{'s' if effect.patients > 1 else ''}"
    runs = f"{effect.runs} run{'s' if effect.runs > 1 else ''}"
    notes = [effect.note] if effect.note else []
    if effect.contamination.startswith("overlaps"):
        notes.append(f"contamination: {effect.contamination}")
    note = f" ({'; '.join(notes)})" if notes else ""
    return f"{told}: {_verdict(effect, metric)}, {people}, {runs}{_alarms(effect)}{note}."


def _alarms(effect: Effect) -> str:
    """`; false alarms: worse, +0.950 [+0.900, +1.000]`; nothing where no structure is absent."""
    if not effect.alarms_verdict:
        return ""
    shown = interval(FALSE_ALARMS["false_alarms"].digits, signed=True)(*effect.alarms)
    return f"; false alarms: {effect.alarms_verdict}, {shown}"


def _verdict(effect: Effect, metric: Metric) -> str:
    adapted = effect.where.scope.adapted
    other = f"{effect.other} ({adapted})" if adapted else effect.other
    if effect.verdict in _SIDES:
        low, high = sorted(map(abs, effect.effect[1:]))
        size = _size(metric, Interval(abs(effect.effect.mean), low, high))
        return f"{_SIDES[effect.verdict]} {other} by {size}"
    against = "equivalent to" if effect.verdict == "equivalent" else "undecided against"
    return f"{against} {other}, {_size(metric, effect.effect, signed=True)}"


def overall_sentence(row: Overall, metric: Metric) -> str:
    """One sentence on an effect over several tasks."""
    note = f" ({row.note})" if row.note else ""
    return f"{row.arm} at {row.where}, over {row.tasks} tasks: {_over(metric, row)}{note}."


def _over(metric: Metric, row: Overall) -> str:
    known = not np.isnan(row.effect.low)
    size = _size(metric, row.effect, signed=True)
    return f"{size if known else size.partition(' [')[0]} against {row.other}"


def _size(metric: Metric, size: Interval, signed: bool = False) -> str:
    """`0.021 Dice [0.010, 0.033]`."""
    mean, low, high = map(number(metric.digits, signed), size)
    return f"{mean} {_unit(metric)} [{low}, {high}]"


def _unit(metric: Metric) -> str:
    return f"{metric.unit} {metric.title}" if metric.unit else metric.title
