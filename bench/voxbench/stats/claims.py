"""Declared claims, tested again on the records: which hold, which do not, which are undecided.

On each task a claim is one or two statements «the difference is beyond this». Each has a p: the
larger of Wilcoxon's signed-rank on the patients and of Student's on patients and runs, two-sided.
«On at least k of n tasks» has n − k + 1 times the kth smallest p of the tasks (Benjamini & Heller
2008, doi:10.1111/j.1541-0420.2007.00984.x), which for every task is the largest. Holm's correction
is over the claims of the file.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from voxbench.analyses.effects import Effect, Pair, between, effects, twins
from voxbench.analyses.groups import Group, find_arm
from voxbench.design.claims import Claim
from voxbench.errors import SpecError, unknown
from voxbench.stats.arrays import nanmean
from voxbench.stats.few import spread
from voxbench.stats.metric import Metric, find_metric
from voxbench.stats.paired import ALPHA, holm, wilcoxon

ClaimVerdict = Literal["holds", "does not hold", "undecided", "cannot be tested"]
_SMOKE = "smoke runs measure nothing"


@dataclass(frozen=True)
class TaskResult:
    """A claim on one task: arm − other in the metric's unit.

    Attributes:
        p: that the claim is not so there, uncorrected; NaN if it was not tested.
        verdict: by the interval alone.
        note: what a reader must know of this row.
        records: keys of the arm's and of the other's.
    """

    task: str
    setting: str
    patients: int
    runs: int
    effect: float
    low: float
    high: float
    p: float
    verdict: ClaimVerdict
    note: str
    records: tuple[str, ...]


@dataclass(frozen=True)
class ClaimResult:
    """What became of a claim.

    Attributes:
        arm, other: the labels that were meant.
        margin: that was tested against.
        needed: tasks on which it must hold.
        p, p_holm: of the claim; Holm's over all claims.
        reason: why it is not tested or undecided.
        tasks: where it was tested, and where not.
    """

    claim: Claim
    arm: str
    other: str
    margin: float
    needed: int
    p: float
    p_holm: float
    verdict: ClaimVerdict
    reason: str
    tasks: tuple[TaskResult, ...]


def judge_claims(claims: Sequence[Claim], groups: Sequence[Group]) -> list[ClaimResult]:
    """Test all claims; Holm's family is all that can be tested.

    Raises:
        SpecError: a claim names an arm, task, fraction, setting or metric that no record has.
    """
    tested = [_tested(claim, groups) for claim in claims]
    corrected = holm([found.p for found in tested])
    return [_judged(found, p) for found, p in zip(tested, corrected, strict=True)]


def _tested(claim: Claim, groups: Sequence[Group]) -> ClaimResult:
    """The claim on its tasks, without a verdict."""
    try:
        metric = find_metric(claim.metric)
        _check_names(claim, groups)
        pairs = _pairs(claim, groups, metric)
    except SpecError as error:
        raise SpecError(f"claim «{claim}»: {error}") from None
    margin = claim.margin
    if margin is None:
        margin = 0.0 if claim.relation in ("better", "worse") else metric.margin
    tasks = tuple(_on_tasks(claim, pairs, margin))
    needed = claim.at_least or len(claim.tasks) or len(tasks) or 1
    p = sorted(row.p for row in tasks if not math.isnan(row.p))
    enough = (len(p) - needed + 1) * p[needed - 1] if len(p) >= needed else math.nan
    arm, other = (pairs[0].arm.arm, pairs[0].name) if pairs else (claim.arm, claim.other)
    return ClaimResult(
        claim, arm, other, margin, needed, min(1.0, enough) if p else math.nan, math.nan,
        "undecided", "", tasks,
    )  # fmt: skip


def _check_names(claim: Claim, groups: Sequence[Group]) -> None:
    named = [("fraction", claim.fraction), ("adaptation", claim.adaptation)]
    named += [("task", task) for task in claim.tasks]
    named += [("setting", claim.setting)] if claim.setting else []
    for kind, name in named:
        known = {getattr(group.where, kind) for group in groups}
        if name not in known:
            raise SpecError(unknown(kind, name, known))


def _pairs(claim: Claim, groups: Sequence[Group], metric: Metric) -> list[Pair]:
    """The arm with the other wherever the claim speaks of it."""
    arm = find_arm(groups, claim.arm)
    if claim.other == "scratch":
        found = [pair for pair in twins(groups, metric) if pair.arm.arm == arm]
        if not found:
            raise SpecError(f"{arm} has no scratch twin: name the other arm in full.")
    else:
        found = between(groups, arm, find_arm(groups, claim.other), metric)
    scope = (claim.adaptation, claim.fraction)
    return [
        pair for pair in found
        if (pair.arm.where.adaptation, pair.arm.where.fraction) == scope
        and claim.setting in ("", pair.arm.where.setting)
        and (not claim.tasks or pair.arm.where.task in claim.tasks)
    ]  # fmt: skip


def _on_tasks(claim: Claim, pairs: Sequence[Pair], margin: float) -> Iterator[TaskResult]:
    by_task: dict[str, list[Pair]] = defaultdict(list, {task: [] for task in claim.tasks})
    for pair in pairs:
        by_task[pair.arm.where.task].append(pair)
    for task, found in by_task.items():
        real = [pair for pair in found if not pair.arm.smoke]
        if len(real) == 1:
            yield _on_task(claim, real[0], margin)
            continue
        settings = ", ".join(pair.arm.where.setting for pair in real)
        why = _SMOKE if found else "no record of both arms"
        if real:
            why = f'run under several settings ({settings}): give one, setting = "…"'
        nan = math.nan
        yield TaskResult(task, "", 0, 0, nan, nan, nan, nan, "cannot be tested", why, ())


def _on_task(claim: Claim, pair: Pair, margin: float) -> TaskResult:
    [row] = effects([pair], margin)
    tested = [_beyond(pair, row, *bound) for bound in _bounds(claim, margin, pair.metric.sign)]
    notes = [row.note] if row.note else []
    if row.contamination.startswith("overlaps"):
        notes.append(f"contamination: {row.contamination}")
    words = [verdict for _, verdict in tested]
    verdict: ClaimVerdict = "undecided"
    if not row.patients:
        verdict = "cannot be tested"
    elif "does not hold" in words:
        verdict = "does not hold"
    elif set(words) == {"holds"}:
        verdict = "holds"
    return TaskResult(
        row.task, row.setting, row.patients, row.runs, row.effect, row.low, row.high,
        max(p for p, _ in tested), verdict, "; ".join(notes), tuple(_records(pair)),
    )  # fmt: skip


def _records(pair: Pair) -> Iterator[str]:
    """The keys of the runs that both have, the arm's first."""
    for group, against in ((pair.arm, pair.other), (pair.other, pair.arm)):
        if group and against:
            for run, key in zip(group.runs, group.keys, strict=True):
                if run in against.runs:
                    yield key


def _bounds(claim: Claim, margin: float, sign: int) -> list[tuple[int, float]]:
    """(s, t) of each statement s · (arm − other) > t that the claim makes."""
    return {
        "better": [(sign, margin)],
        "worse": [(-sign, margin)],
        "not worse": [(sign, -margin)],
        "equivalent": [(1, -margin), (-1, -margin)],
    }[claim.relation]


def _beyond(pair: Pair, row: Effect, side: int, bound: float) -> tuple[float, ClaimVerdict]:
    """P of the statement side · (arm − other) > bound, and what the interval says of it."""
    if not row.patients:
        return math.nan, "cannot be tested"
    low, high = sorted((side * row.low, side * row.high))
    word: ClaimVerdict = (
        "holds" if low > bound else "does not hold" if high < bound else "undecided"
    )
    distance = side * row.effect - bound
    if distance <= 0:
        return 1.0, word
    ours, theirs = pair.samples()
    difference = side * (ours.values - theirs.values) - bound
    sure = spread(difference[None], ours.draws).p(0, distance)
    return max(wilcoxon(nanmean(difference, axis=1)), sure), word


def _judged(found: ClaimResult, p_holm: float) -> ClaimResult:
    """The result with its verdict.

    It does not hold where so many tasks show the contrary that too few are left.
    """
    tested = [row for row in found.tasks if row.verdict != "cannot be tested"]
    held = sum(row.verdict == "holds" for row in tested)
    failed = sum(row.verdict == "does not hold" for row in tested)
    verdict: ClaimVerdict = "undecided"
    reason = ""
    if len(tested) < found.needed:
        verdict = "cannot be tested"
        reason = f"{len(tested)} of {found.needed} tasks can be tested"
        if any(row.note == _SMOKE for row in found.tasks):
            verdict, reason = "undecided", f"{reason}; {_SMOKE}"
    elif failed > len(tested) - found.needed:
        verdict = "does not hold"
    elif held >= found.needed and p_holm < ALPHA:
        verdict = "holds"
    else:
        reason = f"{held} of {found.needed} tasks show it by their intervals"
    return replace(found, p_holm=p_holm, verdict=verdict, reason=reason)
