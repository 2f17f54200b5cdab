"""`voxbench plan`: the cells of a sweep and what is known of them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from voxbench.cli.options import Cells, Include, Json, Limit, Output, Overrides, Spec, include_all
from voxbench.cli.plan_jobs import (
    active_rows,
    external_row,
    last_line,
    print_active,
    print_external,
    print_studies,
    print_uncertainty,
    print_weights,
    seconds_told,
    trial_rows,
    uncertainty_rows,
    worker_time,
)
from voxbench.cli.show import print_json, print_remarks, print_rows

if TYPE_CHECKING:
    from voxbench.running.plan import Planned


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
    first, two seconds for each architecture. `--cells` lists the cells one by one, `--json` too.
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
        trials = (row for one in studies for row in trial_rows(one))
        again = (
            *map(external_row, external),
            *uncertainty_rows(uncertainty, expected),
            *active_rows(active, in_rounds),
        )
        print_json([*map(_row, planned), *trials, *again])
        return
    print_rows(map(_listed, planned) if cells else _counted(planned))
    print(_total(planned))
    if studies:
        print_studies(studies)
    if external:
        print_external(external)
    if any(one.to_run for one in planned):
        size = _size(kept_bytes(planned, root))
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
        print_uncertainty(uncertainty, expected)
    if active.all:
        print_active(active, in_rounds)
    if weights:
        print_weights(weights)
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
        "≈ s": seconds_told(one.seconds),
        "reason": last_line(one.reason),
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
            reasons.setdefault(arm, last_line(one.reason))
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


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


def _total(planned: "Sequence[Planned]") -> str:
    from collections import Counter

    counts = Counter(one.state for one in planned)
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    todo = [one.seconds for one in planned if one.to_run]
    known = [seconds for seconds in todo if seconds is not None]
    cost = f"; {len(todo)} to run"
    if known:
        cost += f", about {worker_time(sum(known))}"
        cost += f" for the {len(known)} of a known kind" if len(known) < len(todo) else ""
    return f"{len(planned)} cells: {said}{cost if todo else ''}"
