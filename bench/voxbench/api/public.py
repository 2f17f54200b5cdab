"""A task of public data: where they come from, how many there are, and what is wrong with them."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from voxbench.api.case import Case
from voxbench.api.task import Part, Task


class Archive(NamedTuple):
    """A file that the makers offer.

    Attributes:
        url: its address.
        checksum: as published, "sha256:…" or "md5:…"; None where none is.
        size: its bytes; None where no source tells them.
    """

    url: str
    checksum: str | None = None
    size: int | None = None

    @property
    def name(self) -> str:
        """What the file is called."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a public data set comes from.

    Attributes:
        where: how it is come by, a sentence.
        free: whether anybody may download it; else it is given to who asks or signs up.
        archives: the files of a download, where they have fixed addresses.
        counts: the cases of each part as released; parts that no source counts are not named.
    """

    where: str
    free: bool = False
    archives: tuple[Archive, ...] = ()
    counts: Mapping[Part, int] = field(default_factory=dict)


class KnownError(BaseModel):
    """What is known to be wrong with cases of a data set.

    Attributes:
        cases: their ids; none where only `sign` tells them.
        error: what is wrong.
        source: who says so.
        sign: what whoever reads the files of such a case finds: a kind of problem as `prepare`
            tells it, or a part of its detail; None where only people see it.
        classes: of which it is; others are not touched. By default all.
        left_out: whether such cases are left out by default; others are only told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cases: tuple[str, ...] = ()
    error: str = Field(min_length=1)
    source: str = Field(min_length=1)
    sign: str | None = None
    classes: tuple[str, ...] = ()
    left_out: bool = True

    def names(self, case: Case) -> bool:
        """Whether it is of a case, as far as that is known without opening its files."""
        lost = self.sign == "missing file" and not all(path.exists() for path in case.images)
        return lost or case.id in self.cases


@dataclass(frozen=True, kw_only=True)
class PublicTask(Task):
    """A task of data that others can get, too."""

    source: ClassVar[Source]

    @property
    def known_errors(self) -> Sequence[KnownError]:
        """What is known to be wrong with cases of the data set."""
        return ()

    @abstractmethod
    def released(self) -> Mapping[Part, Sequence[Case]]:
        """The cases of each part, with those that are left out for their errors.

        Raises:
            DataError: as `cases`.
        """
