"""One cell of a sweep: what is trained on what, and a key that names it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from voxbench.design.fraction import Fraction
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Pretraining, Recipe

Adaptation = Literal["full", "frozen", "warmup", "layerwise", "direct"]
Scalar = str | int | float | bool | tuple[float, ...] | None


@dataclass(frozen=True)
class Ref:
    """A plugin by name with the values of its fields, in the order of the names.

    The fields `root` and `weights` are places on a machine: they find files, whose content is
    hashed, and are no identity of their own.
    """

    name: str
    fields: tuple[tuple[str, Scalar], ...] = ()

    @classmethod
    def of(cls, name: str, fields: Mapping[str, Any]) -> "Ref":
        """Lists become tuples, so that a Ref can be hashed."""
        frozen = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        return cls(name, tuple(sorted(frozen.items())))

    @property
    def values(self) -> dict[str, Scalar]:
        """The fields as a dictionary."""
        return dict(self.fields)

    @property
    def identity(self) -> list[Any]:
        """Name and fields without places, as JSON."""
        return [self.name, {key: value for key, value in self.fields if key not in PLACES}]


@dataclass(frozen=True)
class Cell:
    """One training: everything that two cells may differ in, by name.

    Attributes:
        task: the task's plugin; a field `root` says where its data lie and is not identity.
        baseline: the arm, with the value of each of its axes.
        twin: the scratch arm of the same network; None if this is one.
        source: what a baseline that is pre-trained here is trained on.
        contract: grid and intensity that the arm's weights expect, given to its twin too; None
            takes the task's own.
        limit: at most so many steps and test cases: a smoke run.
    """

    task: Ref
    baseline: Ref
    fraction: Fraction
    draw: int
    seed: int
    adaptation: Adaptation
    recipe: Recipe
    twin: Ref | None = None
    source: Ref | None = None
    pretraining: Pretraining | None = None
    contract: Preprocessing | None = None
    limit: int | None = None

    def key(
        self,
        data: str,
        weights: str | None,
        source_data: str | None,
        versions: Mapping[str, str | int],
    ) -> str:
        """The cell's name: 20 hex digits of a hash over all that decides its result.

        Paths, the order of lists and the machine never enter it; the content does.

        Args:
            data: fingerprint of the task's files and split.
            weights: sha256 of a published file; None for scratch and weights made here.
            source_data: fingerprint of the pre-training source.
            versions: of the record, the metrics, the prepared arrays and the pre-training.
        """
        name, fields = self.baseline.identity
        if self.source:  # its name in the sweep is no identity, its content is
            fields.pop("source", None)
        return digest(
            {
                "task": self.task.identity,
                "baseline": [name, fields],
                "fraction": asdict(self.fraction),
                "draw": self.draw,
                "seed": self.seed,
                "adaptation": self.adaptation,
                "recipe": self.recipe.model_dump(mode="json"),
                "source": self.source.identity if self.source else None,
                "pretraining": self.pretraining and self.pretraining.model_dump(mode="json"),
                "contract": self.contract and self.contract.model_dump(mode="json"),
                "limit": self.limit,
                "data": data,
                "weights": weights,
                "source_data": source_data,
                "versions": dict(versions),
            }
        )[:20]


def digest(value: object) -> str:
    """sha256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


PLACES = {"root", "weights"}
"""Fields of a plugin that say where something lies on a machine; they are no identity."""
