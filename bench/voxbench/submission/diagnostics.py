"""What was found in a bundle: errors, warnings, and what could not be checked here."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "unchecked"]
_SHOWN = 3  # details of one rule that are printed
_LONGEST = 240


class Diagnostic(NamedTuple):
    """One thing that was found.

    Attributes:
        level: an error refuses the bundle; a warning is for a person to judge; unchecked is what
            would have needed something that is not here.
        rule: what was broken, the same words for every place.
        detail: where, and which value.
    """

    level: Severity
    rule: str
    detail: str = ""


def error(rule: str, detail: str = "") -> Diagnostic:
    """What refuses a bundle."""
    return Diagnostic("error", rule, printable(detail))


def warning(rule: str, detail: str = "") -> Diagnostic:
    """What a person should look at."""
    return Diagnostic("warning", rule, printable(detail))


def unchecked(rule: str, detail: str = "") -> Diagnostic:
    """What could not be checked here, and why."""
    return Diagnostic("unchecked", rule, printable(detail))


def printable(text: str) -> str:
    """A stranger's text on one line of a terminal: no control characters, not too long."""
    plain = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return plain if len(plain) <= _LONGEST else plain[:_LONGEST] + "…"


def summaries(diagnostics: Iterable[Diagnostic], level: Severity) -> list[str]:
    """The diagnostics of one level, a rule a line with its first details and how many there are."""
    details: dict[str, list[str]] = defaultdict(list)
    for diagnostic in dict.fromkeys(diagnostics):
        if diagnostic.level == level:
            details[diagnostic.rule].append(diagnostic.detail)
    return [_line(rule, [d for d in found if d]) for rule, found in details.items()]


def _line(rule: str, details: list[str]) -> str:
    if not details:
        return rule
    more = f"; … ({len(details)})" if len(details) > _SHOWN else ""
    return f"{rule}: {'; '.join(details[:_SHOWN])}{more}"
