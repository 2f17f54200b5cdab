"""A web server on this machine that serves one file, well or badly."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Answer = tuple[int, dict[str, str], bytes]


def ranged(start: int, stop: int, size: int) -> dict[str, str]:
    """Headers of a part."""
    return {
        "Content-Range": f"bytes {start}-{stop - 1}/{size}",
        "Content-Length": str(stop - start),
    }


class Server:
    """Serves `content` at `/w.pth`; its switches make it misbehave.

    Attributes:
        ranges: whether it honours Range.
        drop_after: bytes after which it hangs up, once.
        etag: of the content.
        answer: a status other than 200, with a Location to go to.
        part: first byte → status, headers and body of what it sends of a range.
        headers: further ones of the whole file.
        asked: the Range of each request.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.ranges = True
        self.drop_after: int | None = None
        self.etag: str | None = '"first"'
        self.answer: tuple[int, str] | None = None
        self.part: Callable[[int], Answer] | None = None
        self.headers: dict[str, str] = {}
        self.asked: list[str | None] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/w.pth"
        Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def whole(self) -> Answer:
        tag = {"ETag": self.etag} if self.etag else {}
        length = {"Content-Length": str(len(self.content))}
        return 200, {**tag, **length, **self.headers}, self.content

    def rest(self, start: int) -> Answer:
        """What a good server sends, unless `part` says otherwise."""
        if self.part:
            return self.part(start)
        size = len(self.content)
        if start >= size:
            return 416, {"Content-Range": f"bytes */{size}", "Content-Length": "0"}, b""
        tag = {"ETag": self.etag} if self.etag else {}
        return 206, {**tag, **ranged(start, size, size)}, self.content[start:]

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                server.asked.append(self.headers["Range"])
                if server.answer:
                    self.send_response(server.answer[0])
                    self.send_header("Location", server.answer[1])
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                start = self._start()
                status, headers, body = server.whole() if start is None else server.rest(start)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if server.drop_after is not None:
                    self.wfile.write(body[: server.drop_after])
                    server.drop_after = None
                    self.close_connection = True
                    return
                self.wfile.write(body)

            def _start(self) -> int | None:
                asked, condition = self.headers["Range"], self.headers["If-Range"]
                if not (server.ranges and asked) or condition not in {None, server.etag}:
                    return None
                return int(asked.removeprefix("bytes=").removesuffix("-"))

        return Handler
