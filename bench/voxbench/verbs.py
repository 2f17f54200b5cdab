"""Verbs of the command line for a notebook or a script.

import voxbench

voxbench.run("smoke", "out", limit=2)
voxbench.report("out")
voxbench.load_scores("out").to_pandas()
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from voxbench.design.spec import Sweep
    from voxbench.records import Record
    from voxbench.reporting.report import Report
    from voxbench.running.plan import Planned


def run(
    sweep: "Sweep | Mapping[str, Any] | Path | str",
    output: Path | str | None = None,
    *,
    jobs: int | None = 1,
    limit: int | None = None,
    retry_failed: bool = False,
    predictions: bool = False,
    keep_weights: bool = False,
) -> "list[Planned]":
    """Run what is missing of a sweep, and give its plan as it is afterwards.

    Stop it anywhere and run it again; `load_records` reads what it leaves.

    Args:
        sweep: itself, a mapping with the keys of its file, the path of that, or a built-in's name.
        output: folder of the records; `runs/<sweep>` by default.
        jobs: worker processes; 1 runs in this one, None takes one a GPU, else one a core. With
            several a script needs `if __name__ == "__main__":`.
        limit: at most so many steps and test cases a cell; records are marked smoke.
        retry_failed: run failed cells again.
        predictions: keep the label maps of the test cases.
        keep_weights: keep the weights of trained networks.

    Raises:
        SpecError, PluginError, DataError: before anything runs.
    """
    from voxbench.running.options import Options
    from voxbench.running.sweep import run_sweep

    found = _sweep(sweep)
    options = Options(jobs, limit, retry_failed, predictions=predictions, weights=keep_weights)
    return run_sweep(found, _folder(found, output), options)


def plan(
    sweep: "Sweep | Mapping[str, Any] | Path | str",
    output: Path | str | None = None,
    *,
    limit: int | None = None,
) -> "list[Planned]":
    """The cells of a sweep: cached, missing, failed or skipped, and why.

    Args:
        sweep: as for `run`.
        output: folder of the records; `runs/<sweep>` by default.
        limit: as for `run`.

    Raises:
        SpecError, PluginError, DataError: it can't be run.
    """
    from voxbench.running.plan import plan_cells
    from voxbench.running.tuner import bind_all

    found = _sweep(sweep)
    root = _folder(found, output)
    return plan_cells(bind_all(found, root, limit)[0], root)


def report(output: Path | str, metric: str = "dice", margin: float | None = None) -> "Report":
    """Write the report of a folder of records into its folder `report`, and give what it tells.

    Args:
        output: folder of the records.
        metric: of effects and curves; a key of `stats.metric.ALL`.
        margin: of practical equivalence, in the metric's unit; None takes the metric's own.

    Raises:
        RecordError: there is no record, or one can't be read.
        SpecError: the metric is unknown.
    """
    from voxbench.reporting.report import write_report

    return write_report(Path(output), Path(output) / "report", metric, margin)


def load_records(output: Path | str) -> "list[Record]":
    """The records of a folder, one a cell, in the order of their keys.

    Raises:
        RecordError: one can't be read.
    """
    from voxbench.records import Store

    return list(Store(Path(output)))


def load_scores(output: Path | str) -> "pa.Table":
    """All scores of a folder's records as columns: one row a cell × case × class.

    Raises:
        RecordError: a record can't be read.
    """
    from pyarrow import parquet

    from voxbench.records import Store
    from voxbench.records.table import refresh_table

    return parquet.read_table(refresh_table(Store(Path(output))))


def _sweep(given: "Sweep | Mapping[str, Any] | Path | str") -> "Sweep":
    from voxbench.design.spec import Sweep
    from voxbench.design.sweep_file import parse_sweep, read_sweep
    from voxbench.running.builtin import find_sweep

    if isinstance(given, Sweep):
        return given
    if isinstance(given, Mapping):
        return parse_sweep(given)
    return read_sweep(given) if isinstance(given, Path) else find_sweep(given)


def _folder(sweep: "Sweep", output: Path | str | None) -> Path:
    return Path("runs") / sweep.name if output is None else Path(output)
