"""One file over the web, whole: continued only where the server proves that it is still the same.

What is kept of a download is continued by a range request under the condition that the entity tag
is the same. The part that comes back must begin where the kept one ends, reach the end, and have
the same tag and length; whatever else the server answers, the file is asked for from its start
(RFC 9110: ranges 14, If-Range 13.1.5, Content-Encoding 8.4, Content-Length 8.6). Common downloaders
take one or the other of these on trust, which is enough where a checksum follows.
"""

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import requests
from requests import codes

CHUNK = 2**16
TIMEOUT_S = 30.0  # without a byte
MOST_BYTES = 32 * 10**9
SLOWEST = 10_000.0  # bytes a second, on average after the first minute
_FIRST_S = 60.0
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")

Arrived = Callable[[int, int | None], None]
"""Told of the bytes that are here and, where the server says so, of all there are."""


class UnusableAnswerError(Exception):
    """What a server sends can't become the file; the text goes on from its address."""


class _Kept(NamedTuple):
    """What an earlier call left: how many bytes, of which entity and of how many."""

    size: int = 0
    etag: str = ""
    total: int | None = None


class _Body(NamedTuple):
    """Where the body of an answer belongs, and how long the file is then, if that is told."""

    start: int
    total: int | None


def transfer(url: str, folder: Path, arrived: Arrived, *, checked: bool) -> bool:
    """Bring a file to `folder/content`; what came of it before a fault is kept there.

    Args:
        url: where it is.
        folder: of this download alone.
        arrived: told as it grows.
        checked: a checksum follows. Without one the server must tell the length, and a part is
            continued under a strong entity tag only.

    Returns:
        Whether a part was continued.

    Raises:
        UnusableAnswerError: the server refuses, or sends what could not be told from the file.
        requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError: it broke off.
    """
    with _session(url) as session:
        for kept in dict.fromkeys((_kept(folder, checked), _Kept())):
            with _ask(session, url, kept) as response:
                if response.status_code == codes.range_not_satisfiable and checked and kept.size:
                    return True  # nothing is left to send: whole, or the checksum will tell
                body = _body(response, kept, checked)
                if body is not None:
                    _receive(response, folder, body, arrived)
                    return body.start > 0
    raise UnusableAnswerError("sends a part where the whole file was asked for")


def received(folder: Path) -> int:
    """How many bytes are kept."""
    content = folder / "content"
    return content.stat().st_size if content.exists() else 0


def _session(url: str) -> requests.Session:
    """A session that is led to no other scheme, and from https not to http."""
    session = requests.Session()
    if url.startswith("https:"):
        del session.adapters["http://"]
    return session


def _kept(folder: Path, checked: bool) -> _Kept:
    try:
        told = json.loads((folder / "state.json").read_bytes())
        kept = _Kept(received(folder), str(told["etag"]), told["total"])
    except (OSError, ValueError, KeyError, TypeError):
        kept = _Kept(received(folder))
    strong = kept.etag.startswith('"')
    return kept._replace(etag=kept.etag if strong else "") if strong or checked else _Kept()


def _ask(session: requests.Session, url: str, kept: _Kept) -> requests.Response:
    headers = {"Accept-Encoding": "identity"}
    if kept.size:
        headers["Range"] = f"bytes={kept.size}-"
        if kept.etag:
            headers["If-Range"] = kept.etag
    return session.get(url, headers=headers, stream=True, timeout=TIMEOUT_S)


def _body(response: requests.Response, kept: _Kept, checked: bool) -> _Body | None:
    """Where the body belongs; None if it is a part that what is kept can't be continued with."""
    status, headers = response.status_code, response.headers
    if status == codes.partial_content:
        return _continued(response, kept)
    if status == codes.range_not_satisfiable and kept.size:
        return None
    if status != codes.ok:
        raise UnusableAnswerError(f"answers {status} {response.reason}")
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnusableAnswerError(
            f"sends it packed ({headers['Content-Encoding']}), though the file as it is was asked "
            "for"
        )
    length = headers.get("Content-Length", "")
    total = int(length) if re.fullmatch("[0-9]{1,18}", length) else None
    if total is None and not checked:
        raise UnusableAnswerError(
            "tells no length and no checksum is known, so a file that broke off could not be told "
            "from a whole one"
        )
    if total is not None and total > MOST_BYTES:
        raise UnusableAnswerError(f"offers {total:,} bytes, at most {MOST_BYTES:,} are taken")
    return _Body(0, total)


def _continued(response: requests.Response, kept: _Kept) -> _Body | None:
    headers = response.headers
    found = _RANGE.fullmatch(headers.get("Content-Range", ""))
    if not found or not kept.size or headers.get("Content-Encoding"):
        return None
    first, last, total = map(int, found.groups())
    whole = first == kept.size and last + 1 == total <= MOST_BYTES
    length = headers.get("Content-Length", str(total - first)) == str(total - first)
    same = headers.get("ETag", kept.etag) == kept.etag or not kept.etag
    return (
        _Body(first, total) if whole and length and same and kept.total in {total, None} else None
    )


def _receive(response: requests.Response, folder: Path, body: _Body, arrived: Arrived) -> None:
    """Write the body to its place, and before it what it is a part of."""
    here, began = body.start, time.monotonic()
    most = MOST_BYTES if body.total is None else body.total
    with (folder / "content").open("r+b" if here else "wb") as file:
        if not here:
            state = {"etag": response.headers.get("ETag", ""), "total": body.total}
            (folder / "state.json").write_text(json.dumps(state), encoding="utf-8")
        file.seek(here)
        while chunk := response.raw.read1(CHUNK, decode_content=False):
            here += len(chunk)
            if here > most:
                raise UnusableAnswerError(f"sends more than {most:,} bytes")
            file.write(chunk)
            arrived(here, body.total)
            _check_speed(here - body.start, time.monotonic() - began)
        file.flush()
        os.fsync(file.fileno())
    if body.total is not None and here != body.total:
        raise OSError(f"{here:,} of {body.total:,} bytes arrived")


def _check_speed(size: int, seconds: float) -> None:
    if seconds > _FIRST_S and size < SLOWEST * seconds:
        raise OSError(f"slower than {SLOWEST / 1000:g} kB a second")
