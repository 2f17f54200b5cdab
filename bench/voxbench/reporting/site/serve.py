"""A site on this machine's loopback address, for whoever prefers an address to a file."""

from collections.abc import Iterable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

HOST = "127.0.0.1"


def server(site: Path, beside: Iterable[Path], port: int) -> ThreadingHTTPServer:
    """Serve a site, and the files beside it that its pages link to, on 127.0.0.1 only.

    Args:
        site: its folder.
        beside: records, tables and figures outside of it; they are found by their names.
        port: 0 takes any that is free.

    Raises:
        OSError: the port is in use or may not be used.
    """
    known = {path.name: path.resolve() for path in beside}
    return ThreadingHTTPServer((HOST, port), partial(_Handler, known, directory=str(site)))


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, known: dict[str, Path], *args: object, **options: object) -> None:
        self.known = known
        super().__init__(*args, **options)  # type: ignore[arg-type]

    def translate_path(self, path: str) -> str:
        """A file of the site, else a known one of that name: a browser drops a leading `../`."""
        found = super().translate_path(path)
        name = PurePosixPath(unquote(urlsplit(path).path)).name
        return found if Path(found).exists() else str(self.known.get(name, found))

    def log_message(self, *words: object) -> None:
        """Say nothing: the terminal shows the address."""
