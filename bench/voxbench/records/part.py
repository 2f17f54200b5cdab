"""What the parts of a record are made of."""

import math
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from voxbench.records.places import without_places

# JSON has no NaN: an undefined score is stored as null and read back as NaN
NanFloat = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]


Told = Annotated[str, AfterValidator(without_places)]
"""What a machine says of itself, told without its places, user and host."""


class RecordPart(BaseModel):
    """A part of a record: no other keys, and NaN as null."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


class GrownPart(RecordPart):
    """A part with fields that older records lack; they are left out where they say nothing."""

    later: ClassVar[frozenset[str]]

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        told: dict[str, Any] = handler(self)
        return {k: v for k, v in told.items() if k not in self.later or v not in (None, {})}
