"""What a study says it found, as sentences that can be tested again.

    [[claim]]
    claim = "masked-autoencoder > scratch at 10 shots on at least 2 tasks, margin 0.01"
    metric = "nsd"            # dice if not given

A sentence is `ARM RELATION OTHER at FRACTION on TASKS, margin NUMBER`.

- ARM, OTHER: labels as in the tables, or how only one label begins; `scratch` is the arm's twin.
- RELATION: `>` better, `<` worse, `>=` not worse, `~` equivalent.
- TASKS: one name, several joined by `and`, `every task`, `at least N tasks`, or `any task`.
- margin: `>` and `<` by more than it, 0 if not given; `>=` by no more than it and `~` by less, the
  metric's own if not given.

Beside the sentence `metric`, `adaptation` (full) and `setting` (where tables have that column) can
say which scores are meant.
"""

import math
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

from voxbench.design.fraction import Fraction
from voxbench.errors import SpecError, unknown

Relation = Literal["better", "worse", "not worse", "equivalent"]
RELATIONS: dict[str, Relation] = {
    ">": "better", "<": "worse", ">=": "not worse", "≥": "not worse", "~": "equivalent",
    "≈": "equivalent",
}  # fmt: skip
EXAMPLE = "masked-autoencoder > scratch at 10 shots on at least 2 tasks, margin 0.01"

_RELATION = re.compile(r"\s(>=|≥|>|<|~|≈)\s")
_MARGIN = re.compile(r",\s*margin\s+(.*)$")
_COUNT = re.compile(r"at least (\d+) tasks?")


@dataclass(frozen=True)
class Claim:
    """One sentence, read.

    Attributes:
        text: the sentence.
        arm, other: labels, or their beginnings.
        relation: of the arm to the other.
        fraction: as records write it.
        tasks: by name; () is all.
        at_least: on how many of them it must hold; None is on each.
        margin: None is the relation's own.
        metric, adaptation, setting: which scores are meant; "" is any setting, if it is one.
    """

    text: str
    arm: str
    relation: Relation
    other: str
    fraction: str
    tasks: tuple[str, ...]
    at_least: int | None
    margin: float | None
    metric: str = "dice"
    adaptation: str = "full"
    setting: str = ""


OPTIONS = ("metric", "adaptation", "setting")


def read_claims(path: Path) -> list[Claim]:
    """The claims of a file.

    Raises:
        SpecError: it can't be read, or a claim is none.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: can't be read ({error}).") from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path} is not valid TOML: {error}.") from None
    rows = found.get("claim")
    if set(found) != {"claim"} or not isinstance(rows, list) or not rows:
        raise SpecError(f"{path}: must hold [[claim]] tables only, at least one. {_example()}")
    return [_claim(row, f"{path}, claim {number}") for number, row in enumerate(rows, start=1)]


def _claim(row: object, place: str) -> Claim:
    if not isinstance(row, dict) or not isinstance(row.get("claim"), str):
        raise SpecError(f"{place}: has no sentence. {_example()}")
    given = {key: value for key, value in row.items() if key != "claim"}
    for key, value in given.items():
        if key not in OPTIONS:
            raise SpecError(f"{place}: {unknown('key', key, ('claim', *OPTIONS))}")
        if not isinstance(value, str):
            raise SpecError(f"{place}: {key} must be text, not {value!r}.")
    try:
        return parse(row["claim"], **given)
    except SpecError as error:
        raise SpecError(f"{place}: {error}") from None


def parse(text: str, **options: str) -> Claim:
    """Read a sentence; `options` are metric, adaptation and setting.

    Raises:
        SpecError: it says where the sentence is not understood.
    """
    text = " ".join(text.split())
    relation = _RELATION.search(text)
    if not relation:
        first = text.find(" ") + 1 or len(text)
        _fail(text, first, "expected >, <, >= or ~ with spaces around it, after the arm")
    margin, end = _margin(text)
    at = _word(text, " at ", relation.end(), end, "the other arm")
    on = _word(text, " on ", at + 4, end, "the fraction")
    tasks, at_least = _tasks(text, on + 4, end)
    return Claim(
        text,
        text[: relation.start()],
        RELATIONS[relation[1]],
        text[relation.end() : at],
        _fraction(text, at + 4, on),
        tasks,
        at_least,
        margin,
        **options,
    )


def _word(text: str, word: str, start: int, end: int, after: str) -> int:
    """Where the next word begins, with something before it."""
    found = text.find(word, start, end)
    if found <= start:
        _fail(text, start if found == start else end, f"expected «{word.strip()}» after {after}")
    return found


def _margin(text: str) -> tuple[float | None, int]:
    """The margin, and where what is before it ends."""
    found = _MARGIN.search(text)
    if not found:
        comma = re.search(r",\s", text)
        if comma:
            _fail(text, comma.end(), "expected «margin» and a number after the comma")
        return None, len(text)
    try:
        margin = float(found[1])
    except ValueError:
        margin = math.nan
    if not 0 <= margin < math.inf:
        _fail(text, found.start(1), "expected a number from 0 on as margin")
    return margin, found.start()


def _fraction(text: str, start: int, end: int) -> str:
    try:
        return str(Fraction.parse(text[start:end]))
    except ValueError:
        _fail(text, start, "expected a fraction: «10 shots», «5%», «100%»")


def _tasks(text: str, start: int, end: int) -> tuple[tuple[str, ...], int | None]:
    given = text[start:end].strip()
    if not given:
        _fail(text, start, "expected tasks: a name, «every task» or «at least 2 tasks»")
    if given in ("any task", "every task"):
        return (), 1 if given == "any task" else None
    if given.startswith("at least"):
        count = _COUNT.fullmatch(given)
        if not count or not int(count[1]):
            _fail(text, start, "expected «at least N tasks», N from 1 on")
        return (), int(count[1])
    return tuple(name.strip() for name in given.split(" and ")), None


def _fail(text: str, place: int, why: str) -> NoReturn:
    raise SpecError(f"{why}:\n  {text}\n  {' ' * place}^\n{_example()}")


def _example() -> str:
    return f'For instance: claim = "{EXAMPLE}"'
