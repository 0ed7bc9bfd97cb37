"""A server on a port of loopback, in threads of the tests' own process: each connection is a session."""

import socketserver
import threading


class SessionServer:
    """Serves with that handler until it is closed; `port` is the system's choice."""

    def __init__(self, session: type[socketserver.StreamRequestHandler]) -> None:
        self._server = _Server(("127.0.0.1", 0), session)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.port: int = self._server.server_address[1]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
