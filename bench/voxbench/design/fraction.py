"""How much of the training split a cell may use: a share, a number of cases, or a list by name."""

import math
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

_SHOTS = re.compile(r"(\d+) shots?")
_LISTED = re.compile(r"([a-z][a-z0-9]*)-(\d+)")


@dataclass(frozen=True)
class Fraction:
    """A share of the training patients in (0, 1], or a count of patients («shots»).

    `ZERO_SHOT`, no patient at all, is what direct inference learns from; a sweep can't ask for it.

    Attributes:
        share: of the training patients.
        shots: so many of them.
        listed: whose published list names these, which no draw changes; with `shots` its name.
    """

    share: Annotated[float, Field(gt=0, le=1, strict=True)] | None = None
    shots: Annotated[int, Field(ge=0, strict=True)] | None = None
    listed: str | None = None

    @classmethod
    def parse(cls, value: object) -> "Fraction":
        """Read `0.1`, `1.0`, `"10%"`, `"5 shots"` or the name of a list, `"suprem-64"`.

        Raises:
            ValueError: it is neither, or out of range.
        """
        if isinstance(value, str):
            text = value.strip()
            if match := _SHOTS.fullmatch(text):
                if int(match[1]) > 0:
                    return cls(shots=int(match[1]))
            elif match := _LISTED.fullmatch(text):
                if int(match[2]) > 0:
                    return cls(shots=int(match[2]), listed=match[1])
            elif text.endswith("%") and text[:-1].replace(".", "", 1).isdigit():
                return cls.parse(float(text[:-1]) / 100)
        elif isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1:
            return cls(share=float(value))
        raise ValueError(
            f'{value!r} is neither a share above 0 and at most 1 (0.1, "10%") '
            'nor a positive count ("5 shots"), nor the name of a published list ("suprem-64").'
        )

    def count(self, patients: int) -> int:
        """How many of `patients` this is; a share is rounded up to at least one."""
        if self.shots is not None:
            return self.shots
        # 0.07 * 100 is 7.000000000000001: without the rounding its ceiling would be 8
        return max(1, math.ceil(round((self.share or 0) * patients, 9)))

    def __str__(self) -> str:
        """As it is written in tables: "10%", "5 shots" or "suprem-64"."""
        if self.listed is not None:
            return f"{self.listed}-{self.shots}"
        if self.shots is not None:
            return f"{self.shots} shot{'s' if self.shots != 1 else ''}"
        return f"{(self.share or 0) * 100:g}%"


ZERO_SHOT = Fraction(shots=0)
