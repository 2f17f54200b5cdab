"""Fetch a published weights file: resumed where it stopped, checked before it gets its name."""

from collections.abc import Callable
from pathlib import Path

import requests

from voxbench.api import Checkpoint
from voxbench.errors import WeightsError
from voxbench.files import has_checksum, hex_digest
from voxbench.locks import locked
from voxbench.paths import published_dir

CHUNK = 2**16  # bytes; what arrived of the last one is lost when a connection breaks
TIMEOUT_S = 30.0

Arrived = Callable[[int, int | None], None]
"""Told of the bytes that are here and, where the server says so, of all there are."""


def download(checkpoint: Checkpoint, arrived: Arrived = lambda _here, _all: None) -> Path:
    """The published file, downloaded if it is not here yet.

    One process downloads, others that ask for the same file wait for it. A download that was
    cut off is kept and resumed: by its checksum where one is known, else only if the server
    says that the file is still the same (its ETag).

    Raises:
        WeightsError: no address is known, the server can't be reached or refuses, the connection
            broke, or the checksum is wrong; a file that failed never gets the final name.
    """
    target = published_dir() / checkpoint.file
    if checkpoint.url is None:
        raise WeightsError(
            f"{checkpoint.file} has no public address: ask for it at {checkpoint.page} and give "
            "`weights`, the file."
        )
    partial = published_dir() / ".partial" / checkpoint.file
    with locked(partial):
        if target.is_file() and (
            checkpoint.checksum is None or has_checksum(target, checkpoint.checksum)
        ):
            return target
        content = partial / "content"
        _fetch(checkpoint, checkpoint.url, content, partial / "etag", arrived)
        _check(checkpoint, content)
        content.replace(target)
        (partial / "etag").unlink(missing_ok=True)
    return target


def _fetch(checkpoint: Checkpoint, url: str, content: Path, etag: Path, arrived: Arrived) -> None:
    received = content.stat().st_size if content.exists() else 0
    try:
        with (
            _session(url) as session,
            _ask(session, url, received, _condition(checkpoint, etag)) as r,
        ):
            if r.status_code == requests.codes.range_not_satisfiable:  # it is whole already
                return
            if not r.ok:
                raise WeightsError(
                    f"{checkpoint.file}: {url} answers {r.status_code} {r.reason}; look at "
                    f"{checkpoint.page}."
                )
            if not checkpoint.checksum and not r.headers.get("Content-Length", "").isdecimal():
                raise WeightsError(
                    f"{checkpoint.file}: {url} tells no length and no checksum is known, so a file "
                    f"that broke off could not be told from a whole one; look at {checkpoint.page}."
                )
            start = received if r.status_code == requests.codes.partial_content else 0
            etag.write_text(r.headers.get("ETag", ""), encoding="utf-8")
            _append(r, content, start, arrived)
    except requests.exceptions.InvalidSchema as error:
        raise WeightsError(
            f"{checkpoint.file}: {url} leads elsewhere than to the web, or from https to http "
            f"({error})."
        ) from error
    except (requests.RequestException, OSError) as error:
        got = content.stat().st_size if content.exists() else 0
        kept = f"{got:,} bytes are kept, run the command again to go on" if got else "online?"
        raise WeightsError(
            f"{checkpoint.file}: the download from {url} broke off ({_reason(error)}); {kept}."
        ) from error


def _session(url: str) -> requests.Session:
    """A session that is led to no other scheme, and from https not to http."""
    session = requests.Session()
    if url.startswith("https:"):
        del session.adapters["http://"]
    return session


def _ask(
    session: requests.Session, url: str, received: int, condition: dict[str, str] | None
) -> requests.Response:
    headers = {"Accept-Encoding": "identity"}
    if received and condition is not None:
        headers |= {"Range": f"bytes={received}-", **condition}
    return session.get(url, headers=headers, stream=True, timeout=TIMEOUT_S)


def _condition(checkpoint: Checkpoint, etag: Path) -> dict[str, str] | None:
    """Under which condition what is here may be continued; None if it may not."""
    known = etag.read_text(encoding="utf-8") if etag.exists() else ""
    if known and not known.startswith("W/"):
        return {"If-Range": known}
    return {} if checkpoint.checksum else None


def _append(response: requests.Response, content: Path, start: int, arrived: Arrived) -> None:
    length = response.headers.get("Content-Length", "")
    total = start + int(length) if length.isdecimal() else None
    received = start
    with content.open("r+b" if start else "wb") as file:
        file.seek(start)
        for chunk in response.iter_content(CHUNK):
            file.write(chunk)
            received += len(chunk)
            arrived(received, total)
    if total is not None and received != total:
        raise OSError(f"{received:,} of {total:,} bytes arrived")


def _check(checkpoint: Checkpoint, content: Path) -> None:
    """Remove a file whose checksum is wrong: resuming it would never mend it."""
    if checkpoint.checksum is None or has_checksum(content, checkpoint.checksum):
        return
    algorithm, _, expected = checkpoint.checksum.partition(":")
    found = hex_digest(content, algorithm)
    content.unlink()
    raise WeightsError(
        f"{checkpoint.file}: {algorithm} of the download is {found}, its card says {expected}; it "
        f"was not kept. Another release, or a damaged one: look at {checkpoint.page}."
    )


def _reason(error: Exception) -> str:
    if isinstance(error, requests.ConnectionError) and "Max retries" in str(error):
        return "no connection"
    return str(error).partition("\n")[0][:120] or type(error).__name__
