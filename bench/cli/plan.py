"""`voxbench plan`: the cells of a sweep and what is known of them."""

from bench.cli.options import Include, Json, Limit, Output, Overrides, Spec, include_all


def plan(
    spec: Spec,
    output: Output = None,
    limit: Limit = None,
    set_: Overrides = None,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """Print the cells: cached, missing, failed or skipped, with their estimated cost."""
    from pathlib import Path

    from bench.record import Store
    from bench.run.grid import arrange
    from bench.run.named import find_sweep
    from bench.run.plan import plan as look_up

    include_all(include_path)
    sweep = find_sweep(spec, set_ or [])
    root = output or Path("runs") / sweep.name
    cells = look_up(arrange(sweep, limit), Store(root))
    rows = [
        {
            "key": cell.key,
            "state": cell.state,
            **cell.arranged.arm.model_dump(),
            "seconds": cell.seconds,
            "reason": cell.reason,
        }
        for cell in cells
    ]
    if json:
        import json as writer

        print(writer.dumps(rows, indent=1))  # noqa: T201
        return
    _print(rows)


def _print(rows: list[dict[str, object]]) -> None:
    from collections import Counter

    from rich.console import Console
    from rich.table import Table

    columns = ("key", "state", "task", "baseline", "fraction", "draw", "seed", "adaptation")
    table = Table(*columns, "≈ s", "reason", box=None)
    for row in rows:
        seconds = f"{row['seconds']:.0f}" if row["seconds"] is not None else "?"
        reason = str(row["reason"] or "").strip().splitlines()[-1:] or [""]
        table.add_row(*(str(row[column]) for column in columns), seconds, reason[0])
    console = Console()
    console.print(table)
    counts = Counter(str(row["state"]) for row in rows)
    said = ", ".join(f"{count} {state}" for state, count in counts.items())
    open_ = [row["seconds"] for row in rows if row["state"] in {"missing", "failed"}]
    known = [value for value in open_ if isinstance(value, float)]
    cost = f"; about {sum(known) / 60:.1f} core-minutes for {len(known)} of {len(open_)} to run"
    console.print(f"{len(rows)} cells: {said}{cost if open_ else ''}", highlight=False)
