"""The sentence of the front page: what the verdicts at one fraction say, tested as claims."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from voxbench.analyses.claims import judge_claims
from voxbench.analyses.effects import Effect
from voxbench.analyses.table import interval
from voxbench.design.claims import Claim
from voxbench.reporting.people import labelled
from voxbench.reporting.site.front.cell import GLYPHS
from voxbench.reporting.site.front.evidence import UNHINDERED, Evidence


class Finding(NamedTuple):
    """What a reader takes away.

    Attributes:
        answer: one word or a few.
        sentence: the rest.
        warning: what speaks against it; "" where nothing does.
        tally: verdict → (glyph, comparisons).
        comparisons: their number.
        claims: what the sentence claims.
    """

    answer: str
    sentence: str
    warning: str
    tally: dict[str, tuple[str, int]]
    comparisons: int
    claims: list[Claim]


def find(evidence: Evidence, fraction: str) -> Finding:
    """Say what the comparisons at a fraction show.

    The sentence says «better» of an arm and a task only where the verdict of the effect says so and
    a claim of the same, judged as `voxbench claims` does, holds. Controls are no pre-training. A
    random start that may not train all of itself is nobody's choice, so that nothing is answered by
    being ahead of one.
    """
    here = {k: e for k, e in evidence.effects.items() if k[0].fraction == fraction and e.verdict}
    known = evidence.controls
    tried = [effect for key, effect in here.items() if key not in known]
    controls = [effect for key, effect in here.items() if key in known]
    telling = [effect for effect in tried if effect.where.adaptation in UNHINDERED]
    shown, claims = _shown(evidence, telling)
    answer, sentence = _told(evidence, fraction, telling, shown)
    counts = Counter(effect.verdict for effect in tried)
    tally = {
        word: (glyph, counts[word]) for word, glyph in GLYPHS.items()
        if counts[word] or word in ("better", "equivalent", "worse", "undecided")
    }  # fmt: skip
    tally.pop("", None)
    return Finding(answer, sentence, _warning(controls), tally, len(tried), claims)


def _shown(evidence: Evidence, tried: Sequence[Effect]) -> tuple[list[Effect], list[Claim]]:
    """The effects that are better, by their verdict and as claims that hold."""
    ahead = [effect for effect in tried if effect.verdict == "better"]
    claims = [_claim(evidence, effect) for effect in ahead]
    judged = judge_claims(claims, evidence.groups) if claims else []
    held = [result.verdict == "holds" for result in judged]
    return (
        [effect for effect, holds in zip(ahead, held, strict=True) if holds],
        [claim for claim, holds in zip(claims, held, strict=True) if holds],
    )


def _claim(evidence: Evidence, effect: Effect) -> Claim:
    where = effect.where
    return Claim(
        text="read off the front page, chosen after looking",
        arm=effect.arm,
        relation="better",
        other="scratch",
        fraction=where.fraction,
        tasks=(where.task,),
        metric=evidence.metric.key,
        adaptation=where.adaptation,
        setting=where.setting,
    )


def _told(
    evidence: Evidence, fraction: str, tried: Sequence[Effect], shown: Sequence[Effect]
) -> tuple[str, str]:
    tasks = sorted({effect.where.task for effect in tried})
    opening = f"With {_people(fraction)},"
    if not tried and any(group.imported for group in evidence.groups):
        return "", _ahead(evidence, fraction)
    if not tried:
        never = "no pre-training has been compared with a random start that is fully trained."
        return "Not asked.", f"{opening} {never}"
    if shown:
        return _yes(evidence, opening, tasks, shown)
    on = f"on any of {len(tasks)} tasks"
    if len(tasks) == 1:
        on = f"on {tasks[0]} ({evidence.structures[tasks[0]]})"
    started = sum(effect.verdict == "head start" for effect in tried)
    if started:
        return "Not shown.", (
            f"{opening} {started} of {len(tried)} comparisons are ahead of a random start that has "
            "not converged: a head start, not a gain."
        )
    if all(effect.verdict in ("worse", "equivalent", "behind") for effect in tried):
        return "No.", f"{opening} no pre-training tried here beats a random start {on}."
    return "Not shown.", (
        f"{opening} no pre-training tried here is shown to beat a random start {on}."
    )


def _ahead(evidence: Evidence, fraction: str) -> str:
    """Who leads each league, where no arm has a twin: who is tied with the best mean."""
    parts = []
    for where, league in evidence.leagues.items():
        if where.fraction == fraction:
            best = max(league.rows, key=lambda row: evidence.metric.sign * row.mean.mean)
            tied = [r for r in league.rows if r is not best and set(r.group) & set(best.group)]
            names = ", ".join(str(evidence.names[row.arm]) for row in tied)
            told = f"{evidence.names[best.arm]} is ahead on {where.task}"
            told += f", tied with {names}" if tied else f" of all {len(league.rows)} arms"
            parts.append(told)
    return f"{'; '.join(parts) or 'Nowhere are there two arms'}."


def _yes(
    evidence: Evidence, opening: str, tasks: Sequence[str], shown: Sequence[Effect]
) -> tuple[str, str]:
    by_task: dict[str, list[Effect]] = defaultdict(list)
    for effect in shown:
        by_task[effect.where.task].append(effect)
    parts = [_best(evidence, task, own) for task, own in sorted(by_task.items())]
    count = f"{len(by_task)} of {len(tasks)} tasks"
    answer = "Yes." if len(by_task) == len(tasks) else f"On {count}."
    return answer, f"{opening} {'; '.join(parts)}."


def _best(evidence: Evidence, task: str, own: Sequence[Effect]) -> str:
    metric = evidence.metric
    best = max(own, key=lambda effect: metric.sign * effect.effect.mean)
    size = interval(metric.digits, signed=True)(*best.effect)
    gain, _, ends = size.partition(" ")
    unit = metric.unit or metric.title
    others = len(own) - 1
    more = f", as {others} other arm{'s do' if others > 1 else ' does'}" if others else ""
    recipe = evidence.recipe(best.where)
    alike = " tuned alike" if best.where.adaptation != "full" else ""
    return (
        f"{evidence.names[best.arm]}{f' ({recipe})' if recipe else ''} beats a random start{alike} "
        f"on {task} ({evidence.structures[task]}) by {gain.lstrip('+−')} {unit} {ends}{more}"
    )


def _people(fraction: str) -> str:
    told = labelled(fraction)
    return told.replace(" patient", " labelled patient", 1) if told[0].isdigit() else told


def _warning(controls: Sequence[Effect]) -> str:
    """A control that is not scratch."""
    odd = [effect for effect in controls if effect.verdict in ("better", "worse")]
    if not odd:
        return ""
    told = ", ".join(f"{effect.arm} on {effect.where.task}: {effect.verdict}" for effect in odd)
    return f"The control differs from a random start ({told}): doubt what is beside it."
