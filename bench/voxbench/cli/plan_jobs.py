"""What a plan has beside its cells: weights, trials, external test sets, predictions, rounds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from voxbench.cli.show import print_rows

if TYPE_CHECKING:
    from voxbench.running.active import ActivePlan
    from voxbench.running.external_plan import PlannedExternal
    from voxbench.running.plan import PlannedStudy, PlannedWeights
    from voxbench.running.uncertainty import UncertaintyPlan


def print_weights(weights: "Sequence[PlannedWeights]") -> None:
    """Those that are made here, one a row."""
    print_rows(
        {
            "weights": one.job.arm,
            "state": "made" if one.made else "missing",
            "≈ s": seconds_told(one.seconds),
            "reason": last_line(one.reason),
        }
        for one in weights
    )
    todo = [one.seconds for one in weights if not one.made and one.seconds is not None]
    if todo:
        print(f"pre-trainings: {len(todo)} to run, about {worker_time(sum(todo))}")


def trial_rows(one: "PlannedStudy") -> Iterator[dict[str, Any]]:
    """A row for each trial; those that are over are cached, as cells are."""
    from voxbench.records.trials import trial_key

    for number in range(one.study.tuning.trials):
        yield {
            "key": trial_key(one.study.key, number),
            "state": "missing" if number in one.missing else "cached",
            **one.study.arm.model_dump(),
            "trial": number,
            "seconds": one.seconds,
            "reason": one.reason,
        }


def print_studies(studies: "Sequence[PlannedStudy]") -> None:
    """What is tuned, and what waits for it."""
    from voxbench.records.trials import TRIAL_STATES

    there = [state for state in (*TRIAL_STATES, "missing") if any(s.states[state] for s in studies)]
    print_rows(
        {
            "tuned": one.study.arm.baseline,
            "task": one.study.arm.task,
            "fraction": one.study.arm.fraction,
            "adaptation": one.study.arm.adaptation,
            **{state: one.states[state] for state in there},
            "≈ s a trial": seconds_told(one.seconds),
            "reason": last_line(one.reason),
        }
        for one in studies
    )
    counts = {state: sum(one.states[state] for one in studies) for state in there}
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    todo = [(len(one.missing), one.seconds) for one in studies if one.missing]
    known = sum(count * seconds for count, seconds in todo if seconds is not None)
    cost = f", about {worker_time(known)}" if known else ""
    waiting = sum(one.cells for one in studies)
    wait = f"; {waiting} cells wait for them" if waiting else ""
    print(f"{sum(counts.values())} trials: {said}{cost}{wait}")


def external_row(one: "PlannedExternal") -> dict[str, Any]:
    """A cell on an external test set."""
    return {
        "key": one.key,
        "state": one.state,
        **one.cell.arm.model_dump(),
        "test": one.test.name,
        "seconds": None,
        "reason": one.reason,
    }


def print_external(external: "Sequence[PlannedExternal]") -> None:
    """A row for each external test set of a task; a reason is the first that there is."""
    from collections import Counter

    from voxbench.running.plan import STATES

    sets: dict[tuple[str, str], list[PlannedExternal]] = {}
    for one in external:
        sets.setdefault((one.cell.arm.task, one.test.name), []).append(one)
    counts = {place: Counter(one.state for one in own) for place, own in sets.items()}
    there = [state for state in STATES if any(own[state] for own in counts.values())]
    print_rows(
        {
            "task": task,
            "external test": name,
            "cases": len(own[0].test.cases),
            "classes": ", ".join(own[0].test.classes),
            "lacking": ", ".join(own[0].test.lacking),
            **{state: counts[task, name][state] for state in there},
            "reason": next((last_line(one.reason) for one in own if one.reason), ""),
        }
        for (task, name), own in sets.items()
    )
    total = Counter(one.state for one in external)
    said = ", ".join(f"{count} {state}" for state, count in total.items())
    again = sum(one.untrained for one in external)
    known = f"; {again} of cells that are trained again, as their weights were not kept"
    print(f"{len(external)} on external test sets: {said}{known if again else ''}")


def uncertainty_rows(
    plan: "UncertaintyPlan", expected: Mapping[str, float | None]
) -> Iterator[dict[str, Any]]:
    """A row for each prediction of a model; those that are there are cached, as cells are."""
    for job in plan.all:
        state = plan.state(job)
        yield {
            "key": job.id,
            "state": "cached" if state == "predicted" else "missing",
            **job.cells[0].arm.model_dump(),
            "model": job.model.name,
            "seeds": [cell.seed for cell in job.cells],
            "seconds": expected[job.id],
            "reason": None if state == "predicted" else state,
        }


def print_uncertainty(plan: "UncertaintyPlan", expected: Mapping[str, float | None]) -> None:
    """What each model predicts of each arm."""
    from collections import Counter, defaultdict

    from voxbench.running.uncertainty import STATES

    counts: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    todo: dict[tuple[str, str, str], list[float | None]] = defaultdict(list)
    for job in plan.all:
        arm, state = job.cells[0].arm, plan.state(job)
        place = arm.task, arm.baseline, job.model.name
        counts[place][state] += 1
        todo[place] += [] if state == "predicted" else [expected[job.id]]
    there = [state for state in STATES if any(own[state] for own in counts.values())]
    print_rows(
        {
            **dict(zip(("task", "baseline", "model"), place, strict=True)),
            **{state: own[state] for state in there},
            "≈ min": "?" if None in todo[place] else f"{sum(filter(None, todo[place])) / 60:.1f}",
        }
        for place, own in counts.items()
    )
    left = [seconds for own in todo.values() for seconds in own]
    print(f"{len(plan.all)} predictions again: {len(left)} to make{_minutes(left)}")
    if again := len(plan.untrained):
        print(f"{again} of their cells are trained again, as their weights were not kept")


def active_rows(
    plan: "ActivePlan", expected: Mapping[str, float | None]
) -> Iterator[dict[str, Any]]:
    """A row for each round; those that are there are cached, as cells are."""
    for job in plan.all:
        yield {
            "key": job.id,
            "state": "cached" if plan.is_done(job) else "missing",
            **job.cell.arm.model_dump(),
            "strategy": str(job.strategy),
            "round": job.number,
            "seconds": expected[job.id],
            "reason": None,
        }


def print_active(plan: "ActivePlan", expected: Mapping[str, float | None]) -> None:
    """How many rounds there are, and how many are done."""
    todo = [expected[job.id] for job in plan.all if not plan.is_done(job)]
    done = len(plan.all) - len(todo)
    print(f"{len(plan.all)} rounds of active learning: {done} done{_minutes(todo)}")


def last_line(reason: str | None) -> str:
    """Of a reason, which may be a traceback."""
    return ((reason or "").strip().splitlines() or [""])[-1]


def worker_time(seconds: float) -> str:
    """Of one worker, as a person reads it."""
    minutes = seconds / 60
    return f"{minutes / 60:.1f} worker-hours" if minutes >= 120 else f"{minutes:.1f} worker-minutes"


def seconds_told(value: float | None) -> str:
    """Of an estimate, which may be unknown."""
    return "?" if value is None else f"{value:.0f}"


def _minutes(todo: "Sequence[float | None]") -> str:
    """What is known of what is to be done."""
    known = [seconds for seconds in todo if seconds is not None]
    return f", about {worker_time(sum(known))}" if known else ""
