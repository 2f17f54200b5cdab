"""`voxbench plan`: the cells of a sweep and what is known of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from voxbench.cli.options import Include, Json, Limit, Output, Overrides, Spec, include_all
from voxbench.cli.show import print_json, print_remarks, print_rows

if TYPE_CHECKING:
    from voxbench.run.plan import PlannedWeights


def plan_verb(
    spec: Spec,
    output: Output = None,
    limit: Limit = None,
    set_: Overrides = None,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """Print the cells: cached, missing, failed or skipped, with their estimated cost.

    And the weights that have to be made for them. What nothing was run of is measured first, for
    two seconds.
    """
    from pathlib import Path

    from voxbench.run.bind import bind
    from voxbench.run.builtin import find_sweep
    from voxbench.run.plan import plan_cells, with_costs
    from voxbench.run.remarks import remarks

    include_all(include_path)
    sweep = find_sweep(spec, set_ or [])
    root = output or Path("runs") / sweep.name
    bound = bind(sweep, limit)
    cells, weights = with_costs(plan_cells(bound, root))
    rows = [
        {
            "key": cell.key,
            "state": cell.state,
            **cell.arm.model_dump(),
            "seconds": cell.seconds,
            "reason": cell.reason,
        }
        for cell in cells
    ]
    if json:
        print_json(rows)
        return
    _print(rows)
    if weights:
        _print_weights(weights)
    print_remarks(remarks(bound))


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


def _last_line(reason: str | None) -> str:
    return ((reason or "").strip().splitlines() or [""])[-1]


def _print(rows: list[dict[str, Any]]) -> None:
    from collections import Counter

    hidden = {"twin", "strategy", "network", "reason", "seconds"}
    print_rows(
        {
            **{name: value for name, value in row.items() if name not in hidden},
            "≈ s": _seconds(row["seconds"]),
            "reason": _last_line(row["reason"]),
        }
        for row in rows
    )
    counts = Counter(row["state"] for row in rows)
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    todo = [row["seconds"] for row in rows if row["state"] in {"missing", "failed"}]
    known = [seconds for seconds in todo if seconds is not None]
    cost = f"; {len(todo)} to run"
    if known:
        cost += f", about {sum(known) / 60:.1f} worker-minutes"
        cost += f" for the {len(known)} of a known kind" if len(known) < len(todo) else ""
    print(f"{len(rows)} cells: {said}{cost if todo else ''}")
