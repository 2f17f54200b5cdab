"""A web server on this machine that serves one file, well or badly."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Server:
    """Serves `content` at `/w.pth`; its switches make it misbehave.

    Attributes:
        ranges: whether it honours Range.
        drop_after: bytes after which it hangs up, once.
        etag: of the content.
        answer: a status other than 200, with a Location to go to.
        asked: the Range of each request.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.ranges = True
        self.drop_after: int | None = None
        self.etag: str | None = '"first"'
        self.answer: tuple[int, str] | None = None
        self.asked: list[str | None] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/w.pth"
        Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

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
                if start is not None and start >= len(server.content):
                    self.send_error(416)
                    return
                self.send_response(200 if start is None else 206)
                if server.etag:
                    self.send_header("ETag", server.etag)
                body = server.content[start or 0 :]
                self.send_header("Content-Length", str(len(body)))
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
