"""Texts without the places, the user and the host of this machine: for what others may read."""

import getpass
import platform
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from voxbench.paths import cache_dir, data_root

_WORD = r"[^\s/\\:'\"<>|()\[\],;]+"
_INNER = rf"{_WORD}(?:[ ]{_WORD}){{0,3}}"  # a folder's name, which may hold spaces
_PLACE = re.compile(
    rf"""(?P<quote>["'])(?:file://)?(?:[A-Za-z]:[\\/]|/|\\\\)[^"'\n]*(?P=quote)
    | (?<![\w.~$%}}/-])(?:file://)?(?:[A-Za-z]:)?/(?:{_INNER}/)+(?:{_WORD})?
    | (?<![\w.])file://\S+
    | (?<!\w)[A-Za-z]:\\(?:{_INNER}\\)*(?:{_WORD})?
    | \\\\{_WORD}\\(?:{_INNER}\\)*(?:{_WORD})?
    | (?<!\w)~{_WORD}[/\\]
    """,
    re.VERBOSE,
)
_USUAL = {"root", "user", "localhost", "runner", "admin", "ubuntu", "docker"}


def without_places(text: str) -> str:
    """The text with absolute paths cut to the name of the file, and without user and host.

    What lies below the data root, the cache or the home folder is told from there. A path of two
    folders or fewer, which may be a home, is left out as a whole.
    """
    for place, name in _known():
        text = text.replace(place, name)
    text = _PLACE.sub(_cut, text)
    return _names().sub("…", text) if _names().pattern else text


def holds_place(value: Any) -> bool:
    """Whether any text of a JSON value tells a place of a machine."""
    return any(without_places(text) != text for text in texts(value))


def texts(value: Any) -> Iterator[str]:
    """Every text of a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)


def _cut(found: re.Match[str]) -> str:
    quote = found["quote"] or ""
    parts = re.split(r"[/\\]+", found[0].strip("\"'").removeprefix("file://"))
    named = len(parts) > 3 and parts[-1]  # "", folder, folder, name
    return f"{quote}…/{parts[-1]}{quote}" if named else f"{quote}…{quote}"


@cache
def _known() -> tuple[tuple[str, str], ...]:
    """Folders of this machine and what they are called, the longest first."""
    named = [(data_root(), "$VOXBENCH_DATA"), (cache_dir(), "$VOXBENCH_CACHE"), (Path.home(), "~")]
    found = [(f"{path.absolute()}/", f"{name}/") for path, name in named if len(path.parts) > 2]
    return tuple(sorted(found, key=lambda pair: -len(pair[0])))


@cache
def _names() -> re.Pattern[str]:
    """User and host of this machine, as words; those that say nothing are left."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # none has this number
        user = ""
    host = platform.node()
    words = {user, host, host.partition(".")[0]} - _USUAL
    telling = sorted((re.escape(word) for word in words if len(word) > 2), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(telling)})(?![\w-])" if telling else "")
