"""What a bundle holds: the names that members can have, and the manifest that lists them."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from voxbench.records.places import without_places
from voxbench.records.predictions import prediction_path

MANIFEST = "manifest.json"
_KEY = re.compile(r"[0-9a-f]{20}")
_RECORD = re.compile(r"records/([0-9a-f]{20})\.json")
_PREDICTION = re.compile(r"predictions/([0-9a-f]{20})/([^/\\:*?\"<>|]{1,200})\.nii\.gz")
MemberKind = Literal["manifest", "record", "prediction"]


def is_plain(text: str, longest: int = 200) -> bool:
    """Whether a name can be shown anywhere: printable, composed, and without marks of markup."""
    return (
        0 < len(text) <= longest
        and text.isprintable()
        and text == text.strip()
        and not set(text) & set('<>"`|\\&$')
        and unicodedata.is_normalized("NFC", text)
    )


def _plain(text: str) -> str:
    if not is_plain(text, 500):
        raise ValueError('needs 1 to 500 printable characters, none of < > " ` | \\ & $')
    return text


_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):\S")
_WEB = re.compile(r"https?://(?!-)[A-Za-z0-9.-]+\.[A-Za-z0-9-]+(:\d{1,5})?([/?#]\S*)?")


def _addressed(text: str) -> str:
    """A text, or an address that may be followed: on the web, without a name and password."""
    scheme = _SCHEME.match(text)
    kind = scheme[1].lower() if scheme else ""
    if not (
        kind in {"", "doi", "arxiv"} or (kind == "mailto" and "@" in text) or _WEB.fullmatch(text)
    ):
        raise ValueError("an address begins with https:// and names a host of the web")
    if without_places(text) != text:
        raise ValueError("tells a place, user or host of a machine")
    return text


def _moment(text: str) -> str:
    """A date and time that was."""
    when = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if when > datetime.now(UTC) + timedelta(days=1):
        raise ValueError("lies in the future")
    return text


Plain = Annotated[str, AfterValidator(_plain)]
Addressed = Annotated[Plain, AfterValidator(_addressed)]
Moment = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"), AfterValidator(_moment)
]


class Member(BaseModel):
    """A file of the bundle, as it must come out of it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class Submitter(BaseModel):
    """Who submits, in their own words.

    Attributes:
        name: of the submission; the file of its provenance is named so.
        contact: whom to ask.
        source: a paper or repository.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    contact: Addressed | None = None
    source: Addressed | None = None


class Manifest(BaseModel):
    """The first member of a bundle.

    Attributes:
        format: of the bundle's layout.
        voxbench: the version that packed it.
        submitter: who sends it.
        created: when the newest record was written (UTC), so that packing again gives the same
            bytes.
        members: name → size and sha256 of every other member.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal[1] = 1
    voxbench: Plain
    submitter: Submitter
    created: Moment
    members: dict[str, Member]


def kind_of(name: str) -> MemberKind | None:
    """What a member of this name is; None if a bundle has no such member."""
    if name == MANIFEST:
        return "manifest"
    if _RECORD.fullmatch(name):
        return "record"
    found = _PREDICTION.fullmatch(name)
    return "prediction" if found and is_plain(found[2]) and not found[2].startswith(".") else None


def record_name(key: str) -> str:
    """The member that holds a record."""
    return f"records/{key}.json"


def prediction_name(key: str, case: str) -> str:
    """The member that holds a label map: as it lies beside the records."""
    return prediction_path(Path(), key, case).as_posix()


def key_of(name: str) -> str:
    """The key in the name of a record or a prediction."""
    found = _KEY.search(name)
    return found[0] if found else ""
