"""An optional copy of the records on Weights & Biases; never the record itself."""

from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from voxbench.records import Record

Mode = Literal["offline", "online"]


def mirror(mode: Mode, project: str, folder: Path) -> Callable[[Record], None]:
    """A function that copies one record as a run: loss curve, mean scores, cost.

    Args:
        mode: "offline" writes files that `wandb sync` sends later.
        project: on the server.
        folder: where the client writes.
    """

    def send(record: Record) -> None:
        import wandb

        folder.mkdir(parents=True, exist_ok=True)
        settings = wandb.Settings(silent=True, console="off")
        config = {**record.arm.model_dump(), "recipe": record.cell["recipe"]}
        with wandb.init(
            project=project,
            id=record.key,
            name=f"{record.arm.task} {record.arm.baseline} {record.arm.fraction}",
            mode=mode,
            dir=folder,
            config=config,
            settings=settings,
        ) as run:
            for step, loss in record.training.items():
                run.log({"loss": loss}, step=step)
            run.summary.update(_summary(record))

    return send


def _summary(record: Record) -> dict[str, Any]:
    summary: dict[str, Any] = {"status": record.status, "failure": record.failure}
    if record.cost:
        summary |= record.cost.model_dump()
    for metric in ("dice", "nsd", "hd95_mm"):
        values = [
            value
            for case in record.cases
            for score in case.classes.values()
            if (value := getattr(score, metric)) == value  # NaN is undefined
        ]
        if values:
            summary[metric] = fmean(values)
    return summary
