"""`voxbench plan`: the cells of a sweep and what is known of them."""

from typing import Any

from voxbench.cli.options import Include, Json, Limit, Output, Overrides, Spec, include_all
from voxbench.cli.show import print_json, print_remarks, print_rows


def plan_verb(
    spec: Spec,
    output: Output = None,
    limit: Limit = None,
    set_: Overrides = None,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """Print the cells: cached, missing, failed or skipped, with their estimated cost."""
    from pathlib import Path

    from voxbench.run.bind import bind
    from voxbench.run.builtin import find_sweep
    from voxbench.run.plan import plan_cells
    from voxbench.run.remarks import remarks

    include_all(include_path)
    sweep = find_sweep(spec, set_ or [])
    root = output or Path("runs") / sweep.name
    bound = bind(sweep, limit)
    cells = plan_cells(bound, root)
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
    print_remarks(remarks(bound))


def _print(rows: list[dict[str, Any]]) -> None:
    from collections import Counter

    hidden = {"twin", "strategy", "network", "reason", "seconds"}
    print_rows(
        {
            **{name: value for name, value in row.items() if name not in hidden},
            "≈ s": "?" if row["seconds"] is None else f"{row['seconds']:.0f}",
            "reason": ((row["reason"] or "").strip().splitlines() or [""])[-1],
        }
        for row in rows
    )
    counts = Counter(row["state"] for row in rows)
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    todo = [row["seconds"] for row in rows if row["state"] in {"missing", "failed"}]
    known = [seconds for seconds in todo if seconds is not None]
    cost = f"; {len(todo)} to run"
    if known:
        cost += f", about {sum(known) / 60:.1f} worker-minutes for the {len(known)} of a known kind"
    print(f"{len(rows)} cells: {said}{cost if todo else ''}")
