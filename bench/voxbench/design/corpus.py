"""A collection of images that weights may have seen or a task may test on."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

CorpusKind = Literal["CT", "MR", "PET", "X-ray", "photograph", "synthetic", "other"]


class Corpus(BaseModel):
    """A corpus, as a package registers it or a sweep.

    Attributes:
        name: the canonical one.
        kind: modalities it holds.
        parents: corpora that volumes were taken from.
        perhaps: corpora that volumes may have been taken from: said nowhere, or unchecked.
        complete: False if its origins are not all known.
        aliases: other names of it.
        source: who says so.
        checked: whether the source was looked up when the entry was written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    kind: tuple[CorpusKind, ...] = Field(min_length=1)
    parents: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    complete: bool = True
    aliases: tuple[str, ...] = ()
    source: str = Field(min_length=1)
    checked: bool = True


def _named(tables: object) -> object:
    """Tables by name as tables that have it."""
    if not isinstance(tables, Mapping):
        return tables
    return {
        name: {"name": name, **table} if isinstance(table, Mapping) else table
        for name, table in tables.items()
    }


CorpusTables = Annotated[dict[str, Corpus], BeforeValidator(_named)]
"""Name → the other fields of a corpus."""
