"""What a study says it found, declared so that it can be tested again.

[[claim]]
text = "masked autoencoding helps with few labels"
arm = "masked-autoencoder"
relation = "better"
other = "scratch"
fraction = "10 shots"
tasks = "all"
at_least = 2
margin = 0.01
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from voxbench.design.fraction import Fraction
from voxbench.design.toml import read_toml
from voxbench.errors import SpecError, unknown

Relation = Literal["better", "worse", "not worse", "equivalent"]

_PHRASES: Mapping[Relation, str] = {
    "better": "is better than",
    "worse": "is worse than",
    "not worse": "is not worse than",
    "equivalent": "is equivalent to",
}


def _as_recorded(value: object) -> str:
    return str(Fraction.parse(value))


def _named(value: object) -> object:
    if value == "all":
        return ()
    if not value or not isinstance(value, list | tuple):
        raise ValueError(f'must be a list of names, or "all", not {value!r}')
    return value


class Claim(BaseModel):
    """One claim: ARM is RELATION than OTHER at FRACTION on TASKS.

    Attributes:
        text: the claim in free words.
        arm: its label as in the tables, or how only one label begins.
        relation: of the arm to the other: better, worse, not worse or equivalent.
        other: a label too; `scratch` is the arm's twin.
        fraction: of the labelled patients, as `"10 shots"` or `"5%"`.
        tasks: a list of names, or `"all"`, which is read as ().
        at_least: on how many of them it must hold; on each if not given.
        margin: in the metric's unit. Better and worse are by more than it, 0 if not given; not
            worse by no more than it and equivalent by less, the metric's own if not given.
        metric: a key of `stats.metric.ALL`.
        adaptation: of both arms: full, frozen, warmup, layerwise, direct or
            direct-postprocessed.
        setting: of both arms, where tables have that column; not needed where there is only one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = ""
    arm: str
    relation: Relation
    other: str
    fraction: Annotated[str, BeforeValidator(_as_recorded)]
    tasks: Annotated[tuple[str, ...], BeforeValidator(_named)]
    at_least: Annotated[int, Field(ge=1, strict=True)] | None = None
    margin: Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)] | None = None
    metric: str = "dice"
    adaptation: str = "full"
    setting: str = ""

    @field_validator("at_least")
    @classmethod
    def _reachable(cls, count: int | None, info: ValidationInfo) -> int | None:
        tasks = info.data.get("tasks")
        if count and tasks and count > len(tasks):
            raise ValueError(f"must be at most {len(tasks)}, as many tasks are named, not {count}")
        return count

    def __str__(self) -> str:
        """The claim as a sentence."""
        tasks = " and ".join(self.tasks) or "every task"
        if self.at_least:
            several = "" if self.at_least == 1 else "s"
            among = f" of {', '.join(self.tasks)}" if self.tasks else f" task{several}"
            tasks = f"at least {self.at_least}{among}"
        margin = "" if self.margin is None else f", margin {self.margin:g}"
        return (
            f"{self.arm} {_PHRASES[self.relation]} {self.other} at {self.fraction} on {tasks}"
            f"{margin}"
        )


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    claim: Annotated[tuple[Claim, ...], Field(min_length=1)]


def read_claims(path: Path) -> tuple[Claim, ...]:
    """The claims of a file.

    Raises:
        SpecError: it can't be read, or one line a broken rule: the file, the number of the claim,
            the key, the rule, the value.
    """
    table = read_toml(path)
    try:
        return _File.model_validate(table).claim
    except ValidationError as error:
        raise SpecError("\n".join(_explain(path, item) for item in error.errors())) from None


def _explain(path: Path, item: Mapping[str, Any]) -> str:
    table, *rest = item["loc"]
    if table != "claim" or not rest:
        return f"{path}: must hold [[claim]] tables only, at least one."
    number, *keys = rest
    place = f"{path}, claim {number + 1}"
    if item["type"] == "extra_forbidden":
        return f"{place}: {unknown('key', str(keys[0]), Claim.model_fields)}"
    message = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
    told = item["type"] in {"missing", "value_error"}
    key = "".join(f", {key}" for key in keys[:1])
    return f"{place}{key}: {message}" + ("." if told else f", got {item['input']!r}.")
