"""One cell of a sweep: what is trained on what, and a key that names it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from voxbench.design.fold import Fold
from voxbench.design.fraction import Fraction
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Pretraining, Recipe, deciding
from voxbench.design.tuning import ADAPTATION, Tuned, Value, adapted, with_values

Adaptation = Literal["full", "frozen", "warmup", "layerwise", "direct", "direct-postprocessed"]
DIRECT: tuple[Adaptation, ...] = ("direct", "direct-postprocessed")
"""Those that train nothing: a published head as it is, and as its authors process its masks."""

Scalar = str | int | float | bool | None
FieldValue = Scalar | tuple[Scalar, ...]

LOCATION_FIELDS = frozenset({"root", "weights"})
"""Fields of a plugin that say where something lies on a machine; they are no identity."""


@dataclass(frozen=True)
class Ref:
    """A plugin by name with the values of its fields, in the order of the names.

    The fields `root` and `weights`, and whatever is an absolute path, are locations on a machine:
    they find files, whose content is hashed, and are no identity of their own.
    """

    name: str
    fields: tuple[tuple[str, FieldValue], ...] = ()

    @classmethod
    def of(cls, name: str, fields: Mapping[str, object]) -> "Ref":
        """Lists become tuples, tables tuples of "key=value", so that a Ref can be hashed."""
        frozen = {name: _frozen(value) for name, value in fields.items()}
        return cls(name, tuple(sorted(frozen.items())))  # type: ignore[arg-type]

    @property
    def values(self) -> dict[str, FieldValue]:
        """The fields as a dictionary."""
        return dict(self.fields)

    def without(self, *names: str) -> "Ref":
        """The same plugin with fewer fields told."""
        return Ref(self.name, tuple(item for item in self.fields if item[0] not in names))

    def without_locations(self) -> "Ref":
        """The same plugin without locations on this machine."""
        return self.without(*(name for name, value in self.fields if _is_location(name, value)))

    def to_json(self) -> list[str | dict[str, FieldValue]]:
        """Name and fields; without locations on this machine."""
        return [self.name, self.without_locations().values]

    @classmethod
    def from_json(cls, told: object) -> "Ref":
        """What `to_json` gave.

        Raises:
            ValueError: it is something else, or names a location on somebody's machine.
        """
        match told:
            case [str(name), dict(fields)] if all(map(_is_plain, fields.values())):
                if any(_is_location(field, value) for field, value in fields.items()):
                    raise ValueError("it names a location on somebody's machine")
                return cls.of(name, fields)
        raise ValueError("no plugin's name and fields")


def _is_location(name: str, value: object) -> bool:
    absolute = isinstance(value, str) and any(
        kind(value).is_absolute() for kind in (PurePosixPath, PureWindowsPath)
    )
    return absolute or name in LOCATION_FIELDS


def _frozen(value: object) -> object:
    if isinstance(value, Mapping):
        return tuple(sorted(f"{key}={item}" for key, item in value.items()))
    return tuple(value) if isinstance(value, list) else value


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(item is None or isinstance(item, Scalar) for item in value)
    return value is None or isinstance(value, Scalar)


def _ref(value: object) -> object:
    return value if isinstance(value, Ref) else Ref.from_json(value)


def _source(value: object) -> object:
    if isinstance(value, list | tuple) and value and all(isinstance(one, list) for one in value):
        return tuple(Ref.from_json(one) for one in value)
    return value if isinstance(value, tuple) else _ref(value)


def _source_json(source: "Source") -> list[object]:
    if isinstance(source, tuple):
        return [ref.to_json() for ref in source]
    return [*source.to_json()]


Plugin = Annotated[Ref, BeforeValidator(_ref), PlainSerializer(Ref.to_json)]
Source = Ref | tuple[Ref, ...]


def refs_of(source: Source | None) -> tuple[Ref, ...]:
    """The plugins that a source is made of."""
    if isinstance(source, Ref):
        return (source,)
    return source or ()


Count = Annotated[int, Field(ge=0, strict=True)]


class Cell(BaseModel):
    """One training: everything that two cells may differ in, by name.

    Attributes:
        task: the task's plugin; a field `root` says where its data lie and is not identity.
        baseline: the arm, with the value of each of its axes.
        limit: at most so many steps and test cases: a smoke run.
        source: what a baseline that is pre-trained here is trained on; several plugins, in the
            order of their names, are united.
        contract: grid and intensity that the arm's weights expect, given to its twin too; None
            takes the task's own.
        tuned: what was chosen for its arm; None trains with what the sweep says.
        fold: of a cross-validation, that it is tested on; None takes the task's one split.
        twin: the scratch arm of the same network; None if this is one. A name, no identity.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Plugin
    baseline: Plugin
    fraction: Fraction
    draw: Count
    seed: Count
    adaptation: Adaptation
    limit: Count | None = None
    recipe: Recipe
    source: Annotated[Source, BeforeValidator(_source), PlainSerializer(_source_json)] | None = None
    pretraining: Pretraining | None = None
    contract: Preprocessing | None = None
    tuned: Tuned | None = None
    fold: Fold | None = None
    twin: Plugin | None = Field(default=None, exclude=True)

    @property
    def devices(self) -> int:
        """On how many it is trained."""
        return self.recipe.devices if self.is_trained else 1

    @property
    def is_trained(self) -> bool:
        """Whether its weights are fine-tuned; direct inference takes them as they are."""
        return self.adaptation not in DIRECT

    @model_serializer(mode="wrap")
    def _told(self, handler: SerializerFunctionWrapHandler) -> dict[str, JsonValue]:
        """Without what came later and is not set, so that older keys are found."""
        told: dict[str, JsonValue] = handler(self)
        fraction = told["fraction"]
        if isinstance(fraction, dict) and self.fraction.listed is None:
            fraction.pop("listed", None)
        unset = [name for name in ("tuned", "fold") if getattr(self, name) is None]
        return {name: value for name, value in told.items() if name not in unset}

    @property
    def adapted(self) -> str:
        """What tables call its adaptation; arms are compared where it is the same."""
        if self.tuned is None:
            return self.adaptation
        return adapted(self.adaptation, dict(self.tuned.values))

    def with_values(self, values: Mapping[str, Value], tuned: Tuned | None = None) -> "Cell":
        """The same with the values of a trial, chosen by a study if `tuned` says so."""
        return self.model_copy(
            update={
                "recipe": with_values(self.recipe, values),
                "adaptation": values.get(ADAPTATION, self.adaptation),
                "tuned": tuned,
            }
        )

    def to_json(self) -> dict[str, JsonValue]:
        """The cell as its record tells it: without its twin and locations on this machine."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, told: Mapping[str, JsonValue]) -> "Cell":
        """The cell of a record.

        Raises:
            ValueError: it is none, or not written as `to_json` writes it.
        """
        cell = cls.model_validate(told)
        if cell.to_json() != told:
            raise ValueError("it is not written as voxbench writes it")
        return cell

    def key(
        self,
        data: str,
        weights: str | None,
        source_data: str | None,
        versions: Mapping[str, str | int],
    ) -> str:
        """The cell's name: 20 hex digits of a hash over all that decides its result.

        Paths, the order of lists, the machine and how it computes never enter it; the content does.

        Args:
            data: fingerprint of the task's files and split.
            weights: sha256 of a published file; None for scratch and weights made here.
            source_data: fingerprint of the pre-training source.
            versions: of the record, the metrics, the prepared arrays and the pre-training.
        """
        return self.keys(data, weights, source_data, versions)(self.draw, self.seed)

    def keys(
        self,
        data: str,
        weights: str | None,
        source_data: str | None,
        versions: Mapping[str, str | int],
    ) -> Callable[[int, int], str]:
        """What gives the key of the cell of any draw and seed that is like this one in all else.

        Args:
            data: fingerprint of the task's files and split.
            weights: sha256 of a published file; None for scratch and weights made here.
            source_data: fingerprint of the pre-training source.
            versions: of the record, the metrics, the prepared arrays and the pre-training.
        """
        # the name of a source in its sweep is no identity, its content is
        baseline = self.baseline.without("source") if self.source else self.baseline
        decides = {
            **self.to_json(),
            "recipe": deciding(self.recipe.model_dump(mode="json")),
            "pretraining": self.pretraining and deciding(self.pretraining.model_dump(mode="json")),
            "baseline": baseline.to_json(),
            "data": data,
            "weights": weights,
            "source_data": source_data,
            "versions": dict(versions),
        }
        parts = [f'"{name}":{_canonical(decides[name])}' for name in sorted(decides)]
        draw, seed = (parts.index(f'"{name}":{decides[name]}') for name in ("draw", "seed"))
        before = "{" + ",".join([*parts[:draw], '"draw":'])
        between = "".join(f",{part}" for part in parts[draw + 1 : seed]) + ',"seed":'
        after = "".join(f",{part}" for part in parts[seed + 1 :]) + "}"
        return lambda draw, seed: _sha256(f"{before}{draw}{between}{seed}{after}")[:20]


def digest(value: object) -> str:
    """sha256 of a value's canonical JSON."""
    return _sha256(_canonical(value))


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
