"""What was found in a bundle: errors, warnings, and what could not be checked here."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, NamedTuple

Level = Literal["error", "warning", "unchecked"]
_SHOWN = 3  # details of one rule that are printed
_LONGEST = 240


class Finding(NamedTuple):
    """One thing that was found.

    Attributes:
        level: an error refuses the bundle; a warning is for a person to judge; unchecked is what
            would have needed something that is not here.
        rule: what was broken, the same words for every place.
        detail: where, and which value.
    """

    level: Level
    rule: str
    detail: str = ""


def error(rule: str, detail: str = "") -> Finding:
    """What refuses a bundle."""
    return Finding("error", rule, shown(detail))


def warning(rule: str, detail: str = "") -> Finding:
    """What a person should look at."""
    return Finding("warning", rule, shown(detail))


def unchecked(rule: str, detail: str = "") -> Finding:
    """What could not be checked here, and why."""
    return Finding("unchecked", rule, shown(detail))


def shown(text: str) -> str:
    """A stranger's text on one line of a terminal: no control characters, not too long."""
    plain = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return plain if len(plain) <= _LONGEST else plain[:_LONGEST] + "…"


def lines(findings: Iterable[Finding], level: Level) -> list[str]:
    """The findings of one level, a rule a line with its first places and how many there are."""
    places: dict[str, list[str]] = defaultdict(list)
    for finding in dict.fromkeys(findings):
        if finding.level == level:
            places[finding.rule].append(finding.detail)
    return [_line(rule, [d for d in details if d]) for rule, details in places.items()]


def _line(rule: str, details: list[str]) -> str:
    if not details:
        return rule
    more = f"; … ({len(details)})" if len(details) > _SHOWN else ""
    return f"{rule}: {'; '.join(details[:_SHOWN])}{more}"
