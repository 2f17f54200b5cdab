"""TOML files that people write: read with the errors they need, and with limits."""

import datetime
import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from voxbench.errors import SpecError, bare

_LARGEST_FILE = 4 * 2**20  # bytes
_DEEPEST = 8  # tables and lists within one another
_ENDLESS = re.compile(r"([\w.\"'-]+)\s*=[^=]*?\d{4300}")
_DOTTED = re.compile(rf"(?:[\w\"'-]+\s*\.\s*){{{_DEEPEST}}}[\w\"'-]+\s*[=\]]")


def read_toml(path: Path) -> dict[str, object]:
    """The tables of a file; a byte order mark is no part of it.

    Raises:
        SpecError: it is missing, no UTF-8, no TOML, or too large or deep to be meant.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise SpecError(f"{path}: larger than {_LARGEST_FILE >> 20} MiB, no TOML file.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: can't be read ({bare(error)}).") from error
    return parse_toml(text, str(path))


def parse_toml(text: str, origin: str) -> dict[str, object]:
    """The tables of a text.

    Raises:
        SpecError: it is no TOML, or nested too deep to be meant.
    """
    if deep := _DOTTED.search(text):
        raise SpecError(f"{origin}: {deep[0][:40]}…: a key of more than {_DEEPEST} parts.")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SpecError(f"{origin}: tables or lists nested more than {_DEEPEST} deep.") from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{origin}: not valid TOML: {error}.") from error
    except ValueError:  # Python reads no integer of more digits
        key = found[1] if (found := _ENDLESS.search(text)) else "a value"
        raise SpecError(f"{origin}: {key}: an integer beyond 64 bits.") from None


def written(value: object) -> str:
    """A value as TOML, tables inline; what is None in a table is left out."""
    if isinstance(value, Mapping):
        items = ((key, item) for key, item in value.items() if item is not None)
        return f"{{ {', '.join(f'{written(key)} = {written(item)}' for key, item in items)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and booleans are alike


def unusable(value: object, key: str = "", depth: int = 0) -> Iterator[str]:
    """What no setting of a plugin or a recipe may be, each with its key: one line a value.

    Dates, infinities and NaN, integers beyond 64 bits, and tables or lists that lie too deep.
    """
    if isinstance(value, Mapping | list | tuple):
        if depth > _DEEPEST:
            yield f"{key}: nested more than {_DEEPEST} deep"
            return
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, item in items:
            yield from unusable(item, f"{key}.{name}" if key else str(name), depth + 1)
    elif isinstance(value, datetime.date | datetime.time):
        yield f"{key}: a date or time, {value.isoformat()}, means nothing here"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{key}: must be finite, got {value}"
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield f"{key}: an integer beyond 64 bits"
