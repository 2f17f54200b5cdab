"""A stranger's JSON: bounded in depth, without numbers and doubled keys that parsers differ on."""

import json
from typing import Any

DEEPEST = 16
_LARGEST = 2**64


def parse_json(raw: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is no JSON, nested too deeply, names a key twice, or holds NaN, an infinity
            or a number that no 64 bits hold.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once
        )
    except RecursionError:
        raise ValueError(f"nested deeper than {DEEPEST} levels") from None
    _bounded(value)
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON; an undefined score is null")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is named twice")
    return found


def _bounded(value: Any) -> None:
    """Look at every level of containers, and at the numbers in it."""
    level = [value]
    for _ in range(DEEPEST + 1):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list):
                inner += item
            elif isinstance(item, int | float) and not abs(item) < _LARGEST:
                raise ValueError("a number is out of range")
        if not inner:
            return
        level = inner
    raise ValueError(f"nested deeper than {DEEPEST} levels")
