"""The fenced blocks of a Markdown file."""

import re
from pathlib import Path
from typing import NamedTuple

from tests.conftest import REPOSITORY

DOCUMENTS = sorted(
    [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")], key=lambda path: path.name
)
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block, and where it stands."""

    document: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """For the name of a test."""
        return f"{self.document.relative_to(REPOSITORY)}:{self.line}"


def blocks(document: Path, *languages: str) -> list[Block]:
    """The blocks of these languages, in their order."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(document, text.count("\n", 0, found.start()) + 1, found[1], found[2])
        for found in _FENCE.finditer(text)
        if found[1] in languages
    ]
