"""`voxbench plan`: the cells of a sweep and what is known of them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from voxbench.cli.options import Cells, Include, Json, Limit, Output, Overrides, Spec, include_all
from voxbench.cli.show import print_json, print_remarks, print_rows

if TYPE_CHECKING:
    from voxbench.running.plan import Planned, PlannedWeights


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

    And the weights that have to be made for them. What nothing was run of is measured first, for
    two seconds. `--cells` lists the cells one by one, `--json` too.
    """
    from pathlib import Path

    from voxbench.running.bind import bind
    from voxbench.running.builtin import find_sweep
    from voxbench.running.plan import plan_cells, with_costs
    from voxbench.running.remarks import remarks

    include_all(include_path)
    sweep = find_sweep(spec, set_ or [])
    root = output or Path("runs") / sweep.name
    bound = bind(sweep, limit)
    planned, weights = with_costs(plan_cells(bound, root))
    if json:
        print_json([_row(one) for one in planned])
        return
    print_rows(map(_listed, planned) if cells else _counted(planned))
    print(_total(planned))
    if weights:
        _print_weights(weights)
    print_remarks(remarks(bound))


def _row(one: "Planned") -> dict[str, Any]:
    return {
        "key": one.key,
        "state": one.state,
        **one.arm.model_dump(),
        "seconds": one.seconds,
        "reason": one.reason,
    }


def _listed(one: "Planned") -> dict[str, Any]:
    hidden = {"twin", "strategy", "network", "reason", "seconds"}
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
    unknown = set()
    for one in planned:
        shared = one.cell.trainings.arm
        arm = shared.task, shared.baseline, shared.adaptation
        counts.setdefault(arm, Counter())[one.state] += 1
        if one.reason:
            reasons.setdefault(arm, _last_line(one.reason))
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


def _seconds(value: float | None) -> str:
    return "?" if value is None else f"{value:.0f}"
