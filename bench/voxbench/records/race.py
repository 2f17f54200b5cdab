"""What a race declares before its first cell, beside the records: from both follows the rest."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voxbench.errors import RecordError
from voxbench.files import write_atomically


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


class Race(_Part):
    """A race: its family of comparisons, and what each look may spend of the error.

    Attributes:
        sweep: its name.
        limit: of a smoke run.
        metric, margin: of the verdicts.
        alpha: the error of all looks together.
        shares: of it, for the look after 2 trainings, after 3, …
        comparisons: all of them; those of one race have the same number of trainings.
    """

    sweep: str
    limit: int | None = None
    metric: str
    margin: float
    alpha: float
    shares: Annotated[tuple[float, ...], Field(min_length=1)]
    comparisons: Annotated[tuple[Comparison, ...], Field(min_length=1)]

    def path(self, root: Path) -> Path:
        """Its file in an output folder."""
        name = re.sub(r"[^\w.-]+", "-", self.sweep)
        return root / "races" / f"{name}{'' if self.limit is None else f'-limit-{self.limit}'}.json"

    def write(self, root: Path) -> None:
        """Store the declaration."""
        write_atomically(self.path(root), self.model_dump_json(indent=1))


def read_race(path: Path) -> Race:
    """Read a declaration.

    Raises:
        RecordError: the file is damaged.
    """
    try:
        return Race.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise RecordError(f"{path}: not a race ({str(error).splitlines()[0]}).") from None


def races(root: Path) -> list[Race]:
    """The races of an output folder.

    Raises:
        RecordError: a file is damaged.
    """
    return [read_race(path) for path in sorted((root / "races").glob("*.json"))]
