"""A scripted HTTP server for tests of the REST client: each test says what it answers."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Handler = Callable[[BaseHTTPRequestHandler], None]


class RestServer:
    """Answers every request with `answer`; `seen` has (method, path, body, headers) of each."""

    def __init__(self) -> None:
        self.answer: Handler = lambda request: reply(request, b"{}")
        self.seen: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.released = threading.Event()
        """For answers that hang: they wait for it, and `close` sets it."""
        outer = self

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.seen.append((self.command, self.path, body, dict(self.headers)))
                try:
                    outer.answer(self)
                    self.close_connection = True
                except OSError:
                    pass

            do_GET = do_PUT = do_POST = do_DELETE = _do  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def reply(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), "Connection": "close", **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)
