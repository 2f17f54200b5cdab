"""The scores of a record's test cases as columns: one value a case and class."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from voxbench.memory import no_collector
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.records.part import Told
from voxbench.records.places import without_places

Array = NDArray[np.float64]
Raters = dict[str, dict[str, float]]
"""Rater → class → Dice; NaN is undefined."""

NUMBERS = tuple(n for n, field in ClassScores.model_fields.items() if field.annotation is float)
"""The fields of a score that are numbers, in their order."""


@dataclass(frozen=True)
class Scores:
    """The scores of all test cases, case after case, as the record has them.

    Attributes:
        cases: their ids.
        patients: of each case.
        failures: why a case could not be predicted; None where it was.
        names: of the classes, in the order in which cases tell of them.
        case: of each score, (score,), as an index of `cases`.
        name: its class, (score,), as an index of `names`.
        numbers: (score, number), a column for each of `NUMBERS`; NaN is undefined.
        flags: why a score is what it is, or "", (score,).
        raters: of each case.
    """

    cases: tuple[str, ...]
    patients: tuple[str, ...]
    failures: tuple[str | None, ...]
    names: tuple[str, ...]
    case: NDArray[np.int32]
    name: NDArray[np.int32]
    numbers: Array
    flags: NDArray[np.object_]
    raters: tuple[Raters, ...]

    @classmethod
    def of(cls, cases: Iterable[CaseScores]) -> "Scores":
        """Those of cases."""
        return _columns([case.model_dump() for case in cases])

    @classmethod
    def parse(cls, cases: bytes) -> "Scores":
        """Those of a JSON list of cases.

        Raises:
            ValidationError: it is none.
        """
        with no_collector():
            return _columns(_validator().validate_json(cases))

    @property
    def failed(self) -> int:
        """Cases that could not be predicted."""
        return len(self.failures) - self.failures.count(None)

    def by_case(self) -> Iterator[CaseScores]:
        """Each case as the record has it."""
        ends = np.cumsum(np.bincount(self.case, minlength=len(self.cases)))
        numbers = self.numbers.tolist()
        start = 0
        for place, end in enumerate(ends.tolist()):
            classes = {
                self.names[self.name[row]]: ClassScores(
                    **dict(zip(NUMBERS, numbers[row], strict=True)), flag=self.flags[row]
                )
                for row in range(start, end)
            }
            start = end
            yield CaseScores(
                case=self.cases[place],
                patient=self.patients[place],
                classes=classes,
                failure=self.failures[place],
                raters=self.raters[place],
            )


def _columns(cases: list[Mapping[str, Any]]) -> Scores:
    rows = [score for case in cases for score in case["classes"].values()]
    sizes = [len(case["classes"]) for case in cases]
    name, names = _numbered([tuple(case["classes"]) for case in cases])
    numbers = np.array(list(map(itemgetter(*NUMBERS), rows)), np.float64)
    return Scores(
        cases=tuple(case["case"] for case in cases),
        patients=tuple(case["patient"] for case in cases),
        failures=tuple(case["failure"] and without_places(case["failure"]) for case in cases),
        names=names,
        case=np.repeat(np.arange(len(cases), dtype=np.int32), sizes),
        name=name,
        numbers=numbers.reshape(len(rows), len(NUMBERS)),
        flags=np.array([row["flag"] for row in rows], object),
        raters=tuple(_defined(case.get("raters", {})) for case in cases),
    )


def _defined(raters: Mapping[str, Mapping[str, float | None]]) -> Raters:
    return {
        rater: {name: math.nan if dice is None else dice for name, dice in own.items()}
        for rater, own in raters.items()
    }


def _numbered(layouts: Sequence[tuple[str, ...]]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """The classes of each case, one after another, as indices of all their names."""
    names: dict[str, int] = {}
    numbers = {
        layout: [names.setdefault(name, len(names)) for name in layout]
        for layout in dict.fromkeys(layouts)
    }
    found = [number for layout in layouts for number in numbers[layout]]
    return np.array(found, np.int32), tuple(names)


@cache
def _validator() -> SchemaValidator:
    """The rules of `CaseScores` and `ClassScores`, without an object for each score."""
    score = _dictionary(ClassScores.model_fields)
    classes = core_schema.dict_schema(core_schema.str_schema(), score)
    dice = core_schema.dict_schema(
        core_schema.str_schema(), _value(ClassScores.model_fields["dice"])
    )
    raters = core_schema.dict_schema(core_schema.str_schema(), dice)
    told = core_schema.with_default_schema(raters, default_factory=dict)
    case = _dictionary(CaseScores.model_fields, classes=classes, raters=told)
    return SchemaValidator(core_schema.list_schema(case))


def _dictionary(fields: Mapping[str, FieldInfo], **known: CoreSchema) -> CoreSchema:
    parts = {name: known.get(name) or _value(field) for name, field in fields.items()}
    return core_schema.typed_dict_schema(
        {name: core_schema.typed_dict_field(part) for name, part in parts.items()},
        extra_behavior="forbid",
    )


def _value(field: FieldInfo) -> CoreSchema:
    kinds: dict[Any, CoreSchema] = {
        float: core_schema.nullable_schema(core_schema.float_schema()),
        str: core_schema.str_schema(),
        Told | None: core_schema.nullable_schema(core_schema.str_schema()),
    }
    schema = kinds[field.annotation]
    if field.is_required():
        return schema
    return core_schema.with_default_schema(schema, default=field.default)
