"""What docstrings say of the attributes of a class."""

import inspect
import re

_ENTRY = re.compile(r"(\w+): (.*)")


def summary(found: type) -> str:
    """The docstring's first line."""
    return (inspect.getdoc(found) or "").partition("\n")[0]


def descriptions(found: type) -> dict[str, str]:
    """Attribute → what the sections «Attributes» of a class and of those it is made of say."""
    told: dict[str, str] = {}
    for part in reversed(found.__mro__):
        told |= _attributes(inspect.cleandoc(part.__doc__ or ""))
    return told


def _attributes(docstring: str) -> dict[str, str]:
    """The section of a docstring in Google's style, each entry on one line."""
    _, _, section = docstring.partition("Attributes:\n")
    told: dict[str, str] = {}
    name = ""
    for line in section.split("\n\n")[0].splitlines():
        if entry := _ENTRY.fullmatch(line.removeprefix("    ")):
            name, told[entry[1]] = entry[1], entry[2]
        else:
            told[name] += f" {line.strip()}"
    return told
