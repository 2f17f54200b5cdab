"""The front page put together: a panel for each fraction, and what is the same for all."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from voxbench.analyses.groups import Where
from voxbench.analyses.label_efficiency import Worth, times
from voxbench.analyses.ranks.league import RankRow
from voxbench.analyses.table import interval, number
from voxbench.reporting.people import duration, in_order, labelled
from voxbench.reporting.site.front.cell import GLYPHS
from voxbench.reporting.site.front.evidence import Evidence, in_use
from voxbench.reporting.site.front.finding import Finding, find
from voxbench.reporting.site.front.matrix import Section, sections
from voxbench.reporting.site.result import why_seen
from voxbench.stats.metric import FALSE_ALARMS


class TaskHead(NamedTuple):
    """A column: the task, how many patients test it, and what it segments."""

    name: str
    patients: int
    structures: str


class Line(NamedTuple):
    """A line beneath the matrix: an arm, what is told of it, and where that leads."""

    arm: str
    told: str
    href: str


Places = dict[str, list[Line]]
"""Task and recipe → what is told of arms there."""


class Ranked(NamedTuple):
    """A league: arms of one task and recipe, best mean first; those of one letter are tied.

    Attributes:
        leader: who is first, and how clearly.
        rows: letters, name, score and page of each.
    """

    title: str
    leader: str
    rows: list[tuple[str, str, str, str]]


class Panel(NamedTuple):
    """What a page shows of one fraction.

    Attributes:
        facts: beside the tally, each a few words.
        worth, alarms, offers: beneath the matrix; `no_worth` says why there is none.
    """

    id: str
    label: str
    finding: Finding
    facts: list[str]
    tasks: list[TaskHead]
    sections: list[Section]
    worth: Places
    no_worth: str
    alarms: list[Line]
    offers: Places
    ranks: list[Ranked]


def panels(evidence: Evidence) -> list[Panel]:
    """One for each fraction, the fewest labelled patients first."""
    sizes: dict[str, float] = {}
    for result in evidence.results:
        known = result.group.train_patients
        size = math.inf if math.isnan(known) else known
        fraction = result.group.where.fraction
        sizes[fraction] = min(size, sizes.get(fraction, math.inf))
    order = sorted(sizes, key=lambda fraction: (fraction == "100%", sizes[fraction], fraction))
    return [_panel(evidence, fraction, f"f{place}") for place, fraction in enumerate(order)]


def most_compared(shown: Sequence[Panel]) -> str:
    """The panel that a reader sees first: whose fraction was asked about most, whatever it says."""
    return max(shown, key=lambda panel: panel.finding.comparisons).id if shown else ""


def _panel(evidence: Evidence, fraction: str, name: str) -> Panel:
    tested: dict[str, int] = {}
    for result in evidence.results:
        if result.group.where.fraction == fraction:
            task = result.group.where.task
            tested[task] = max(tested.get(task, 0), result.mean.patients)
    tasks = [TaskHead(task, tested[task], evidence.structures[task]) for task in sorted(tested)]
    worth = _worth(evidence, fraction)
    return Panel(
        name,
        labelled(fraction),
        find(evidence, fraction),
        list(_facts(evidence, fraction)),
        tasks,
        sections(evidence, fraction, [task.name for task in tasks]),
        worth,
        "" if worth else _no_worth(evidence, fraction),
        list(_alarms(evidence, fraction)),
        _offers(evidence, fraction),
        list(_ranks(evidence, fraction)),
    )


def _facts(evidence: Evidence, fraction: str) -> Iterator[str]:
    """Contamination, in a few words."""
    arms = {
        (r.group.where.task, r.group.arm): r for r in evidence.results
        if r.group.where.fraction == fraction and r.group.twin
    }  # fmt: skip
    counts = Counter(result.group.contamination for result in arms.values())
    seen = sum(n for status, n in counts.items() if status.startswith("overlaps"))
    if arms:
        told = f"contaminated: {seen or 'none'} known, {counts['unknown'] or 'none'} unknown"
        reasons = {why_seen(r) for r in arms.values() if r.group.contamination == "unknown"} - {""}
        yield told + (f" ({'; '.join(sorted(reasons))})" if reasons else "")


def _line(evidence: Evidence, where: Where, arm: str, told: str) -> Line:
    return Line(str(evidence.names[arm]), told, evidence.pages[where, arm])


def _worth(evidence: Evidence, fraction: str) -> Places:
    """What more labels than were tried would take to match, then every k, the highest first."""
    controls = evidence.controls
    rows = [
        row for key, row in evidence.worth.items()
        if row.where.fraction == fraction and (row.shown or row.unreached) and key not in controls
    ]  # fmt: skip
    rows.sort(
        key=lambda row: (
            _in_places(row.where),
            -(row.shown.mean if row.shown else math.inf),
            in_order(row.arm),
        )
    )
    found: Places = defaultdict(list)
    for row in rows:
        line = _line(evidence, row.where, row.arm, _labels(evidence, row))
        found[_place(evidence, row.where)].append(line)
    return found


def _labels(evidence: Evidence, row: Worth) -> str:
    """In words; where the twin never gets so far, by means alone."""
    k = row.shown
    if k is None:
        return f"more than all {_most_labels(evidence, row):.0f} patients, by means alone"
    how = "by the twin's power law" if k is row.fitted else "between the twin's points"
    return f"{times(*k)} the labels, {how}"


def _most_labels(evidence: Evidence, row: Worth) -> float:
    """At the largest fraction of an arm and its twin."""
    place = row.where._replace(fraction="")
    return max(
        other.labels for other in evidence.worth.values()
        if other.arm == row.arm and other.where._replace(fraction="") == place
    )  # fmt: skip


def _no_worth(evidence: Evidence, fraction: str) -> str:
    """The most frequent reason."""
    reasons = Counter(
        row.refused or row.refused_direct or "the twin's fractions set no limit on one side"
        for (where, _), row in evidence.worth.items() if where.fraction == fraction
    )  # fmt: skip
    if not reasons:
        return "No arm ran at two fractions, as a worth in labels needs."
    [(reason, count)] = reasons.most_common(1)
    return f"None can be given with an interval: {reason} ({count} of {reasons.total()} arms)."


def _alarms(evidence: Evidence, fraction: str) -> Iterator[Line]:
    show = interval(FALSE_ALARMS["false_alarms"].digits, signed=True)
    for (where, arm), effect in evidence.effects.items():
        if where.fraction == fraction and effect.alarms_verdict:
            glyph = GLYPHS[effect.alarms_verdict]
            told = f"{glyph} {effect.alarms_verdict} on {where.task}: {show(*effect.alarms)}"
            yield _line(evidence, where, arm, told)


def _offers(evidence: Evidence, fraction: str) -> Places:
    """Who is on a frontier of cost and quality, by task and recipe; the cheapest first."""
    here = [offer for offer in evidence.offers if offer.where.fraction == fraction]
    show = number(evidence.metric.digits)
    found: Places = defaultdict(list)
    for offer in sorted(here, key=lambda o: (_in_places(o.where), o.gpu_hours, o.cpu_hours)):
        paid = [word for word, on in (("even if its weights are paid at once", offer.whole),
                ("if all runs here share its weights", offer.amortised),
                ("if its weights are free", offer.free)) if on]  # fmt: skip
        if paid:
            cost = duration(offer.cpu_hours, offer.gpu_hours)
            once = duration(offer.pretraining_cpu_hours, offer.pretraining_gpu_hours)
            told = f"{show(offer.score)} for {cost} a run"
            told += f" and {once} once, {paid[0]}" if once else ""
            place = _place(evidence, offer.where)
            found[place].append(_line(evidence, offer.where, offer.arm, told))
    return found


def _ranks(evidence: Evidence, fraction: str) -> Iterator[Ranked]:
    show = interval(evidence.metric.digits)
    for where in sorted(evidence.leagues, key=_in_places):
        if where.fraction == fraction:
            league = evidence.leagues[where]
            best = sorted(league.rows, key=lambda row: -evidence.metric.sign * row.mean.mean)
            yield Ranked(_place(evidence, where), _leader(evidence, best), [
                (row.group, str(evidence.names[row.arm]), show(*row.mean),
                 evidence.pages[where, row.arm])
                for row in best
            ])  # fmt: skip


def _in_places(where: Where) -> tuple[object, ...]:
    """Task by task, the usual adaptation first."""
    return where.task, in_use(where), where


def _place(evidence: Evidence, where: Where) -> str:
    """Task and recipe."""
    return ", ".join(filter(None, [where.task, evidence.recipe(where)]))


def _leader(evidence: Evidence, best: Sequence[RankRow]) -> str:
    """Who has the best mean, and who is tied with it."""
    first, *others = best
    told = f"{evidence.names[first.arm]}, {number(evidence.metric.digits)(first.mean.mean)}"
    tied = sum(bool(set(row.group) & set(first.group)) for row in others)
    return f"{told}, tied with {tied} of {len(others)}" if tied else f"{told}, first of {len(best)}"
