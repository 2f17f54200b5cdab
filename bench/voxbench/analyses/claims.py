"""Declared claims, tested again on the records: which hold, which do not, which are undecided.

On each task a claim is one or two statements that the mean difference of its arms, over patients
and runs, is beyond a bound. The p of a claim is that its statements are true on as many tasks as it
needs, that of its contrary that they are false on as many as forbid it. At most one of the two can
be small: Holm's correction of the smaller, over the claims of the file, decides. What is shown
against an arm that has not converged is a head start, and no claim holds by that.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from voxbench.analyses.effects import effects
from voxbench.analyses.groups import Group, Scope
from voxbench.analyses.more_steps import by_steps
from voxbench.analyses.pairing import Pair, pair_arms
from voxbench.design.claims import Claim
from voxbench.errors import SpecError, unknown
from voxbench.stats.bootstrap import infer_mean
from voxbench.stats.conjunction import p_at_least, p_beyond
from voxbench.stats.interval import ALPHA
from voxbench.stats.metric import Metric, find_metric
from voxbench.stats.paired import FEWEST_PATIENTS, holm

ClaimVerdict = Literal["holds", "head start", "does not hold", "undecided", "cannot be tested"]

_SMOKE = "smoke runs measure nothing"


@dataclass(frozen=True)
class TaskResult:
    """A claim on one task: arm − other in the metric's unit.

    Attributes:
        p: that the claim is not so there, uncorrected; NaN if it was not tested.
        p_contrary: that its contrary is not so there.
        verdict: by the interval alone.
        note: what a reader must know of this row.
        records: keys of the arm's and of the other's.
        other_by_steps: steps and mean of the other wherever it was run with other steps too.
    """

    task: str
    setting: str
    patients: int
    runs: int
    effect: float
    low: float
    high: float
    p: float
    p_contrary: float
    verdict: ClaimVerdict
    note: str
    records: tuple[str, ...]
    other_by_steps: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class ClaimResult:
    """What became of a claim.

    Attributes:
        arm, other: the labels that were meant.
        margin: that was tested against.
        needed: tasks on which it must hold.
        p: of the claim; p_contrary: of its contrary.
        p_holm: of the smaller of both, by Holm over all claims.
        reason: why it is not tested or undecided.
        tasks: where it was tested, and where not.
    """

    claim: Claim
    arm: str
    other: str
    margin: float
    needed: int
    p: float
    p_contrary: float
    p_holm: float
    verdict: ClaimVerdict
    reason: str
    tasks: tuple[TaskResult, ...]

    def to_json(self) -> dict[str, Any]:
        """Everything under its name; NaN is undefined."""
        return {**asdict(self), "claim": self.claim.model_dump(mode="json")}


def judge_claims(claims: Sequence[Claim], groups: Sequence[Group]) -> list[ClaimResult]:
    """Test all claims; Holm's family is all that can be tested.

    Raises:
        SpecError: a claim names an arm, task, fraction, setting or metric that no record has.
    """
    tested = [_tested(claim, groups) for claim in claims]
    corrected = holm([min(result.p, result.p_contrary) for result in tested])
    return [_judged(result, p) for result, p in zip(tested, corrected, strict=True)]


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
    tasks = tuple(_on_tasks(claim, pairs, margin, groups))
    needed = claim.at_least or len(claim.tasks) or len(tasks) or 1
    return ClaimResult(
        claim=claim,
        arm=pairs[0].arm.arm if pairs else claim.arm,
        other=pairs[0].name if pairs else claim.other,
        margin=margin,
        needed=needed,
        p=p_at_least([row.p for row in tasks], needed),
        p_contrary=_p_contrary(tasks, needed),
        p_holm=math.nan,
        verdict="undecided",
        reason="",
        tasks=tasks,
    )


def _p_contrary(tasks: Sequence[TaskResult], needed: int) -> float:
    """P of «so many tasks show the contrary that too few are left»."""
    tested = [row.p_contrary for row in tasks if not math.isnan(row.p_contrary)]
    return p_at_least(tested, len(tested) - needed + 1) if len(tested) >= needed else math.nan


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
    other = None if claim.other == "scratch" else claim.other
    found = pair_arms(groups, claim.arm, other, metric)
    scope = Scope(claim.adaptation, claim.fraction)
    return [
        pair for pair in found
        if pair.arm.where.scope == scope
        and claim.setting in ("", pair.arm.where.setting)
        and (not claim.tasks or pair.arm.where.task in claim.tasks)
    ]  # fmt: skip


def _on_tasks(
    claim: Claim, pairs: Sequence[Pair], margin: float, groups: Sequence[Group]
) -> Iterator[TaskResult]:
    by_task: dict[str, list[Pair]] = defaultdict(list, {task: [] for task in claim.tasks})
    for pair in pairs:
        by_task[pair.arm.where.task].append(pair)
    for task, found in by_task.items():
        real = [pair for pair in found if not pair.arm.smoke]
        if len(real) == 1:
            yield replace(
                _on_task(claim, real[0], margin), other_by_steps=_other_by_steps(real[0], groups)
            )
            continue
        settings = ", ".join(pair.arm.where.setting for pair in real)
        why = _SMOKE if found else "no record of both arms"
        if real:
            why = f'run under several settings ({settings}): give one, setting = "…"'
        nan = math.nan
        yield TaskResult(task, "", 0, 0, nan, nan, nan, nan, nan, "cannot be tested", why, ())


def _other_by_steps(pair: Pair, groups: Sequence[Group]) -> tuple[tuple[int, float], ...]:
    return tuple(by_steps(pair.other, groups, pair.metric.key)) if pair.other else ()


def _on_task(claim: Claim, pair: Pair, margin: float) -> TaskResult:
    [row] = effects([pair], margin)
    notes = [row.note] if row.note else []
    if row.contamination.startswith("overlaps"):
        notes.append(f"contamination: {row.contamination}")
    enough = row.patients >= FEWEST_PATIENTS
    found = infer_mean(pair.difference())
    verdicts: set[ClaimVerdict] = set() if enough else {"undecided"}
    p, contrary = [], []
    for side, bound in _statements(claim, margin, pair.metric.sign) if enough else ():
        low, high = sorted(side * end for end in row.alone[1:])
        verdicts.add("holds" if low > bound else "does not hold" if high < bound else "undecided")
        p.append(p_beyond(found, side * bound, side))
        contrary.append(p_beyond(found, side * bound, -side))
    return TaskResult(
        task=row.where.task,
        setting=row.where.setting,
        patients=row.patients,
        runs=row.runs,
        effect=row.effect.mean,
        low=row.alone.low,
        high=row.alone.high,
        p=max(p, default=1.0 if row.patients else math.nan),
        p_contrary=min(contrary, default=1.0 if row.patients else math.nan),
        verdict=_task_verdict(claim, pair, verdicts) if row.patients else "cannot be tested",
        note="; ".join(notes),
        records=tuple(_records(pair)),
    )


def _statements(claim: Claim, margin: float, sign: int) -> list[tuple[int, float]]:
    """(s, t) of each statement s · (arm − other) > t that the claim makes."""
    return {
        "better": [(sign, margin)],
        "worse": [(-sign, margin)],
        "not worse": [(sign, -margin)],
        "equivalent": [(1, -margin), (-1, -margin)],
    }[claim.relation]


def _task_verdict(claim: Claim, pair: Pair, verdicts: set[ClaimVerdict]) -> ClaimVerdict:
    """That of all statements; ahead of what has not converged lies no one but by a head start."""
    verdict = _all_true(verdicts)
    behind = {"better": pair.other, "not worse": pair.other, "worse": pair.arm}.get(claim.relation)
    return "head start" if verdict == "holds" and behind and behind.unconverged else verdict


def _all_true(verdicts: set[ClaimVerdict]) -> ClaimVerdict:
    if "does not hold" in verdicts:
        return "does not hold"
    return "undecided" if "undecided" in verdicts else "holds"


def _records(pair: Pair) -> Iterator[str]:
    """The keys of the runs that both have, the arm's first."""
    for group, against in ((pair.arm, pair.other), (pair.other, pair.arm)):
        if group and against:
            for run, key in group.keys:
                if run in against.runs:
                    yield key


def _judged(result: ClaimResult, p_holm: float) -> ClaimResult:
    """The result with its verdict."""
    tested = [row for row in result.tasks if row.verdict != "cannot be tested"]
    held = sum(row.verdict == "holds" for row in tested)
    verdict: ClaimVerdict = "undecided"
    reason = ""
    if len(tested) < result.needed:
        verdict = "cannot be tested"
        reason = f"{len(tested)} of {result.needed} tasks can be tested"
        if any(row.note == _SMOKE for row in result.tasks):
            verdict, reason = "undecided", f"{reason}; {_SMOKE}"
    elif p_holm < ALPHA:
        verdict = "holds" if result.p < result.p_contrary else "does not hold"
        early = [row.task for row in tested if row.verdict == "head start"]
        if verdict == "holds" and early:
            verdict = "head start"
            reason = f"what lies behind has not converged on {', '.join(early)}"
    else:
        reason = f"{held} of {result.needed} tasks show it by their intervals"
    return replace(result, p_holm=p_holm, verdict=verdict, reason=reason)
