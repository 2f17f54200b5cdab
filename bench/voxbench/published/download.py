"""Fetch a published weights file: resumed where it stopped, checked before it gets its name."""

from pathlib import Path

import requests
import urllib3

from voxbench.api import Checkpoint
from voxbench.errors import WeightsError, in_words
from voxbench.files import has_checksum, hex_digest, note_checksum, noted_checksum
from voxbench.locks import locked
from voxbench.paths import published_dir
from voxbench.published.transfer import Arrived, UnusableAnswerError, received, transfer


def download(checkpoint: Checkpoint, arrived: Arrived = lambda _here, _all: None) -> Path:
    """The published file, downloaded if it is not here yet.

    One process downloads, others that ask for the same file wait for it. A download that was
    cut off is kept and continued, see `transfer`. The sha256 of the first good download is noted
    beside the file, and every later one must have it, as must the file whenever it is used.

    Raises:
        WeightsError: no address is known, the server can't be reached, refuses or sends what can't
            be the file, the connection broke, or the checksum is wrong; a file that failed never
            gets the final name.
    """
    target = published_dir() / checkpoint.file
    if checkpoint.url is None:
        raise WeightsError(
            f"{checkpoint.file} has no public address: ask for it at {checkpoint.page} and give "
            "`weights`, the file."
        )
    partial = published_dir() / ".partial" / checkpoint.file
    with locked(partial):
        if not _is_good(checkpoint, target, target):
            content = partial / "content"
            _fetch(checkpoint, checkpoint.url, target, content, arrived)
            content.replace(target)
            (partial / "state.json").unlink(missing_ok=True)
        if noted_checksum(target) is None:
            note_checksum(target, hex_digest(target))
    return target


def _is_good(checkpoint: Checkpoint, target: Path, content: Path) -> bool:
    """Whether a content is there and is the target's, as far as its checksums are known."""
    known = (checkpoint.checksum, noted_checksum(target))
    return content.is_file() and all(has_checksum(content, one) for one in known if one)


def _fetch(checkpoint: Checkpoint, url: str, target: Path, content: Path, arrived: Arrived) -> None:
    """Bring the file to `content`; one that was put together wrongly is fetched anew, once."""
    checked = bool(checkpoint.checksum or noted_checksum(target))
    for _ in range(2):
        continued = _transfer(checkpoint, url, content.parent, arrived, checked)
        if _is_good(checkpoint, target, content):
            return
        found = {name: hex_digest(content, name) for name in ("sha256", "md5")}
        content.unlink()  # continuing it would never mend it
        if not continued:
            break
    raise WeightsError(_mismatch(checkpoint, target, found))


def _transfer(
    checkpoint: Checkpoint, url: str, partial: Path, arrived: Arrived, checked: bool
) -> bool:
    try:
        return transfer(url, partial, arrived, checked=checked)
    except requests.exceptions.InvalidSchema as error:
        raise WeightsError(
            f"{checkpoint.file}: {url} leads elsewhere than to the web, or from https to http "
            f"({error})."
        ) from error
    except UnusableAnswerError as error:
        raise WeightsError(
            f"{checkpoint.file}: {url} {error}; look at {checkpoint.page}."
        ) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        size = received(partial)
        kept = f"{size:,} bytes are kept, run the command again to go on" if size else "online?"
        raise WeightsError(
            f"{checkpoint.file}: the download from {url} broke off ({_reason(error)}); {kept}."
        ) from error


def _mismatch(checkpoint: Checkpoint, target: Path, found: dict[str, str]) -> str:
    algorithm, _, expected = (checkpoint.checksum or "").partition(":")
    if expected and not found[algorithm].startswith(expected):
        said = f"{algorithm} of the download is {found[algorithm]}, its card says {expected}"
        way_out = f"Another release, or a damaged one: look at {checkpoint.page}."
    else:
        said = f"sha256 of the download is {found['sha256']}, that of the first one was another"
        way_out = (
            f"Another release lies at its address now: look at {checkpoint.page}, and delete "
            f"{target}.sha256 to take it."
        )
    return f"{checkpoint.file}: {said}; it was not kept. {way_out}"


def _reason(error: Exception) -> str:
    if isinstance(error, requests.ConnectionError) and "Max retries" in str(error):
        return "no connection"
    told = in_words(error) or str(error)
    return told.partition("\n")[0][:120].rstrip(".") or type(error).__name__
