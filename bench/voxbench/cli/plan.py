"""`voxbench plan`: the cells of a sweep and what is known of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from voxbench.cli.options import Cells, Include, Json, Limit, Output, Overrides, Spec, include_all
from voxbench.cli.show import print_json, print_remarks, print_rows

if TYPE_CHECKING:
    from voxbench.running.active import ActivePlan
    from voxbench.running.external_plan import PlannedExternal
    from voxbench.running.plan import Planned, PlannedStudy, PlannedWeights
    from voxbench.running.uncertainty import UncertaintyPlan


def plan_verb(
    spec: Spec,
    output: Output = None,
    limit: Limit = None,
    set_: Overrides = None,
    include_path: Include = None,
    cells: Cells = False,
    json: Json = False,
) -> None:
    """Count the cells of each arm: cached, missing, failed or skipped, with their estimated cost.

    And the weights that have to be made for them. Networks that nothing was run of are measured
    first, for two seconds. `--cells` lists the cells one by one, `--json` too.
    """
    from pathlib import Path

    from voxbench.running.active import ActivePlan
    from voxbench.running.again import seconds_of_predictions, seconds_of_rounds
    from voxbench.running.builtin import find_sweep
    from voxbench.running.external_plan import plan_external
    from voxbench.running.plan import kept_bytes, plan_cells, plan_studies, with_costs
    from voxbench.running.remarks import remarks
    from voxbench.running.tuner import bind_all
    from voxbench.running.uncertainty import UncertaintyPlan

    include_all(include_path)
    sweep = find_sweep(spec, set_ or [])
    root = output or Path("runs") / sweep.name
    bound, tuner = bind_all(sweep, root, limit)
    planned, weights = with_costs(plan_cells(bound, root))
    studies, external = plan_studies(tuner), plan_external(planned, root)
    uncertainty = UncertaintyPlan.of(sweep, bound, root)
    active = ActivePlan.of(sweep, bound, root)
    expected = seconds_of_predictions(uncertainty, planned)
    in_rounds = seconds_of_rounds(active, planned)
    if json:
        trials = (row for one in studies for row in _trial_rows(one))
        again = (
            *map(_external_row, external),
            *_uncertainty_rows(uncertainty, expected),
            *_active_rows(active, in_rounds),
        )
        print_json([*map(_row, planned), *trials, *again])
        return
    print_rows(map(_listed, planned) if cells else _counted(planned))
    print(_total(planned))
    if studies:
        _print_studies(studies)
    if external:
        _print_external(external)
    if any(one.to_run for one in planned):
        size = f"{kept_bytes(planned, root) / 2**30:.2f} GiB"
        named = {
            "external test sets": external,
            "[uncertainty]": uncertainty.all,
            "[active]": active.all,
        }
        if wanted := " and ".join(name for name, those in named.items() if those):
            print(f"their weights are kept, at most {size}, for {wanted}")
        else:
            print(f"their weights would take {size} with --keep-weights")
    if uncertainty.all:
        _print_uncertainty(uncertainty, expected)
    if active.all:
        todo = [in_rounds[job.id] for job in active.all if not active.is_done(job)]
        done = len(active.all) - len(todo)
        print(f"{len(active.all)} rounds of active learning: {done} done{_minutes(todo)}")
    if weights:
        _print_weights(weights)
    print_remarks(remarks(bound))


def _row(one: "Planned") -> dict[str, Any]:
    contamination = one.cell.trainings.contamination
    return {
        "key": one.key,
        "state": one.state,
        **one.arm.model_dump(),
        "contamination": contamination and contamination.model_dump(),
        "seconds": one.seconds,
        "reason": one.reason,
    }


def _listed(one: "Planned") -> dict[str, Any]:
    hidden = {"twin", "strategy", "network", "contamination", "reason", "seconds"}
    return {
        **{name: value for name, value in _row(one).items() if name not in hidden},
        "≈ s": _seconds(one.seconds),
        "reason": _last_line(one.reason),
    }


def _counted(planned: "Sequence[Planned]") -> Iterator[dict[str, Any]]:
    """A row for each arm on a task; a reason is that of the first cell that has one."""
    from collections import Counter, defaultdict

    from voxbench.running.plan import STATES

    counts: dict[tuple[str, str, str], Counter[str]] = {}
    todo: dict[tuple[str, str, str], float] = defaultdict(float)
    reasons: dict[tuple[str, str, str], str] = {}
    seen: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    unknown = set()
    for one in planned:
        shared = one.cell.trainings.arm
        arm = shared.task, shared.baseline, shared.adaptation
        counts.setdefault(arm, Counter())[one.state] += 1
        if one.reason:
            reasons.setdefault(arm, _last_line(one.reason))
        if one.cell.trainings.contamination:
            seen[arm].add(one.cell.trainings.contamination.status)
        if one.to_run:
            todo[arm] += one.seconds or 0.0
            if one.seconds is None:
                unknown.add(arm)
    there = [state for state in STATES if any(own[state] for own in counts.values())]
    for arm, own in counts.items():
        yield {
            **dict(zip(("task", "baseline", "adaptation"), arm, strict=True)),
            **{state: own[state] for state in there},
            "≈ min": "?" if arm in unknown else f"{todo[arm] / 60:.1f}",
            "contamination": ", ".join(sorted(seen[arm])),
            "reason": reasons.get(arm, ""),
        }


def _total(planned: "Sequence[Planned]") -> str:
    from collections import Counter

    counts = Counter(one.state for one in planned)
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    todo = [one.seconds for one in planned if one.to_run]
    known = [seconds for seconds in todo if seconds is not None]
    cost = f"; {len(todo)} to run"
    if known:
        cost += f", about {sum(known) / 60:.1f} worker-minutes"
        cost += f" for the {len(known)} of a known kind" if len(known) < len(todo) else ""
    return f"{len(planned)} cells: {said}{cost if todo else ''}"


def _last_line(reason: str | None) -> str:
    return ((reason or "").strip().splitlines() or [""])[-1]


def _print_weights(weights: "Sequence[PlannedWeights]") -> None:
    print_rows(
        {
            "weights": one.job.arm,
            "state": "made" if one.made else "missing",
            "≈ s": _seconds(one.seconds),
            "reason": _last_line(one.reason),
        }
        for one in weights
    )
    todo = [one.seconds for one in weights if not one.made and one.seconds is not None]
    if todo:
        print(f"pre-trainings: {len(todo)} to run, about {sum(todo) / 60:.1f} worker-minutes")


def _trial_rows(one: "PlannedStudy") -> Iterator[dict[str, Any]]:
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


def _print_studies(studies: "Sequence[PlannedStudy]") -> None:
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
            "≈ s a trial": _seconds(one.seconds),
            "reason": _last_line(one.reason),
        }
        for one in studies
    )
    counts = {state: sum(one.states[state] for one in studies) for state in there}
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    todo = [(len(one.missing), one.seconds) for one in studies if one.missing]
    known = sum(count * seconds for count, seconds in todo if seconds is not None)
    cost = f", about {known / 60:.1f} worker-minutes" if known else ""
    waiting = sum(one.cells for one in studies)
    wait = f"; {waiting} cells wait for them" if waiting else ""
    print(f"{sum(counts.values())} trials: {said}{cost}{wait}")


def _external_row(one: "PlannedExternal") -> dict[str, Any]:
    return {
        "key": one.key,
        "state": one.state,
        **one.cell.arm.model_dump(),
        "test": one.test.name,
        "seconds": None,
        "reason": one.reason,
    }


def _print_external(external: "Sequence[PlannedExternal]") -> None:
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
            "reason": next((_last_line(one.reason) for one in own if one.reason), ""),
        }
        for (task, name), own in sets.items()
    )
    total = Counter(one.state for one in external)
    said = ", ".join(f"{count} {state}" for state, count in total.items())
    again = sum(one.untrained for one in external)
    known = f"; {again} of cells that are trained again, as their weights were not kept"
    print(f"{len(external)} on external test sets: {said}{known if again else ''}")


def _uncertainty_rows(
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


def _active_rows(
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


def _print_uncertainty(plan: "UncertaintyPlan", expected: Mapping[str, float | None]) -> None:
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


def _minutes(todo: "Sequence[float | None]") -> str:
    """What is known of what is to be done."""
    known = [seconds for seconds in todo if seconds is not None]
    return f", about {sum(known) / 60:.1f} worker-minutes" if known else ""


def _seconds(value: float | None) -> str:
    return "?" if value is None else f"{value:.0f}"
