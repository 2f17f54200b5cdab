"""A record with all that is known of a cell before it runs."""

from dataclasses import asdict
from typing import Any

from voxbench import metrics
from voxbench.design.cell import Cell
from voxbench.design.seeds import streams
from voxbench.records.environment import environment
from voxbench.records.record import Record
from voxbench.run.contamination import contamination
from voxbench.run.jobs import Place
from voxbench.run.plan import Planned


def blank(planned: Planned, place: Place) -> Record:
    """The record of a cell that has not finished: status failed, no scores."""
    cell = planned.arranged.cell
    return Record(
        key=planned.key,
        status="failed",
        smoke=cell.limit is not None,
        sweep=place.sweep,
        arm=planned.arranged.arm,
        cell=_plain(cell),
        environment=environment(place.device, place.threads),
        seeds=streams(cell),
        contamination=contamination(cell),
        metrics_version=metrics.VERSION,
    )


def _plain(cell: Cell) -> dict[str, Any]:
    """The cell as JSON, without the places of this machine."""
    return {
        "task": cell.task.identity,
        "baseline": cell.baseline.identity,
        "fraction": asdict(cell.fraction),
        "draw": cell.draw,
        "seed": cell.seed,
        "adaptation": cell.adaptation,
        "limit": cell.limit,
        "recipe": cell.recipe.model_dump(mode="json"),
        "source": cell.source and cell.source.identity,
        "pretraining": cell.pretraining and cell.pretraining.model_dump(mode="json"),
        "contract": cell.contract and cell.contract.model_dump(mode="json"),
    }
