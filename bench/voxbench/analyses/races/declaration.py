"""What a race declares before its first cell, beside the records."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voxbench.errors import RecordError, SpecError
from voxbench.files import write_atomically
from voxbench.records.record import Arm
from voxbench.stats.interval import ALPHA
from voxbench.stats.metric import METRICS
from voxbench.stats.sequential import FIRST_INTERIM, error_shares


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pairing(_Part):
    """One training of an arm and that of its twin, by the keys of their records."""

    draw: int
    seed: int
    arm: str
    twin: str


class Comparison(_Part):
    """An arm against its scratch twin at a fraction of a task, and its trainings in their order."""

    task: str
    adaptation: str
    fraction: str
    arm: str
    twin: str
    runs: tuple[Pairing, ...]

    def __str__(self) -> str:
        """`ARM on TASK at FRACTION`."""
        return f"{self.arm} on {self.task} at {self.fraction}"


class Race(_Part):
    """A race: its family of comparisons, and what each interim analysis may spend of the error.

    Attributes:
        sweep: its name.
        limit: of a smoke run.
        metric, margin: of the verdicts.
        alpha: the error of all interim analyses together.
        shares: of it, for the analysis after 2 trainings, after 3, …
        comparisons: all of them; those of one race have the same number of trainings.
    """

    sweep: str
    limit: int | None = None
    metric: str
    margin: float
    alpha: float
    shares: Annotated[tuple[float, ...], Field(min_length=1)]
    comparisons: Annotated[tuple[Comparison, ...], Field(min_length=1)]

    def declare(self, root: Path) -> None:
        """Write it into an output folder; what is declared there already must be the same.

        Raises:
            SpecError: it is not.
            RecordError: the file is damaged.
        """
        name = re.sub(r"[^\w.-]+", "-", self.sweep)
        limit = "" if self.limit is None else f"-limit-{self.limit}"
        path = root / "races" / f"{name}{limit}.json"
        if path.exists() and _read(path) != self:
            raise SpecError(
                f"{path}: a race with other comparisons, trainings or data was declared under the "
                f"name {self.sweep!r} here. Changing it after looking would break its error "
                "control: give the sweep another name and folder, or run it without "
                "--until-settled."
            )
        write_atomically(path, self.model_dump_json(indent=1))


def plan_race(sweep: str, cells: Mapping[str, Arm], limit: int | None = None) -> Race:
    """The race of a sweep: each arm against its twin at each fraction of each task.

    Trainings are taken by seed, and within a seed by draw.

    Args:
        sweep: its name.
        cells: key → arm, of all that can be run, in the order of the sweep.
        limit: of a smoke run.

    Raises:
        SpecError: no arm has a twin here, or there is one training of each only.
    """
    comparisons = tuple(_comparisons(cells))
    if not comparisons:
        raise SpecError(f"{sweep}: no arm with a twin, so no comparison to settle.")
    trainings = len({(arm.seed, arm.draw) for arm in cells.values()})
    if trainings < FIRST_INTERIM:
        raise SpecError(
            f"{sweep}: a race needs {FIRST_INTERIM} trainings or more of each arm, this sweep has "
            "1: give it seeds = 3 or more."
        )
    metric = METRICS["dice"]
    return Race(
        sweep=sweep,
        limit=limit,
        metric=metric.key,
        margin=metric.margin,
        alpha=ALPHA,
        shares=tuple(error_shares(trainings)),
        comparisons=comparisons,
    )


def trainings_of(arm: Arm) -> tuple[str, str, str, str]:
    """What the trainings of an arm have in common: task, adaptation, fraction and its label."""
    return arm.task, arm.adaptation, arm.fraction, arm.baseline


def _comparisons(cells: Mapping[str, Arm]) -> Iterator[Comparison]:
    keys: dict[tuple[str, str, str, str], dict[tuple[int, int], str]] = defaultdict(dict)
    for key, arm in cells.items():
        keys[trainings_of(arm)][arm.seed, arm.draw] = key
    twins = {trainings_of(arm): arm.twin for arm in cells.values() if arm.twin}
    for (task, adaptation, fraction, label), twin in twins.items():
        ours = keys[task, adaptation, fraction, label]
        theirs = keys[task, adaptation, fraction, twin]
        runs = tuple(
            Pairing(draw=draw, seed=seed, arm=ours[seed, draw], twin=theirs[seed, draw])
            for seed, draw in sorted(ours.keys() & theirs.keys())
        )
        named = {"task": task, "adaptation": adaptation, "fraction": fraction}
        if runs:
            yield Comparison(**named, arm=label, twin=twin, runs=runs)


def races_in(folder: Path) -> list[Race]:
    """The races that were declared in an output folder.

    Raises:
        RecordError: a file is damaged.
    """
    return [_read(path) for path in sorted((folder / "races").glob("*.json"))]


def _read(path: Path) -> Race:
    try:
        return Race.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise RecordError(f"{path}: not a race ({str(error).splitlines()[0]}).") from None
