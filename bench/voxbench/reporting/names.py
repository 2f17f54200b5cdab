"""File names for whatever a record calls things."""

import re

from voxbench.design.cell import digest

_LONGEST = 80
_UNSAFE = re.compile(r"[^a-z0-9._-]+")
_DIGEST = re.compile(r"-[0-9a-f]{8}$")


def stem(*parts: str) -> str:
    """The file name of a task at a fraction: dashes for spaces, and no percent sign."""
    return slug("-".join(parts).replace(" ", "-").replace("%", ""))


def slug(text: str) -> str:
    """A file name of lower-case letters, digits, points, dashes and underscores.

    A text that already is one stays as it is. Any other, also one that is too long, gets a digest,
    so that no two texts share a name, on file systems that ignore case too, and none leads out of
    its folder.
    """
    plain = _UNSAFE.sub("-", text.lower()).strip("-.")[:_LONGEST].rstrip("-.")
    if plain and plain == text and not _DIGEST.search(text):
        return plain
    return f"{plain or 'x'}-{digest(text)[:8]}"
