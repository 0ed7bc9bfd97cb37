"""A mail server with Mailpit's face that misbehaves as a test says: SMTP and REST on 127.0.0.1, threads.

    with ScriptedServer(script={"RCPT": b"250-one\\r\\n451 two\\r\\n"}) as server:
        run(…, target=server.name)

`script` says what is answered at `greeting`, `EHLO`, `MAIL`, `RCPT`, `DATA`, `dot`, `RSET`: bytes, which are
sent as they are; `HANG`, which answers nothing; or `cut(bytes)`, after which the connection is closed. The
first session is always a good one, since it is the look before the race. `copies` says what an accepted
message leaves, and `rest` answers REST requests of its own.
"""

import json
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.scripted_box import GOOD, MEET_S, Box, Rest, Script


class ScriptedServer:
    """Both ports of it; `name` is its target name.

    copies           what an accepted message leaves in the store
    stores_refused   a refused message leaves as many
    keeps_tags       whether the copies have the tags asked for
    dies_at          a stage at which both ports are closed, and all that is open is cut off
    when_raced       the script's dot, `copies`, `keeps_tags` and `stores_refused` hold only for a mail whose
                     final dot meets another one: one after the other the server is a good one
    sessions_good    so many SMTP sessions are good ones before the script holds
    rest             a path's status and body, or None for what a good server says
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        copies: int = 1,
        keeps_tags: bool = True,
        stores_refused: bool = False,
        dies_at: str = "",
        when_raced: bool = False,
        sessions_good: int = 1,
        rest: Rest | None = None,
    ) -> None:
        self.box = Box()
        self.sessions = 0
        self.commands: list[str] = []
        self._script = dict(script or {})
        self._copies = copies
        self._keeps_tags = keeps_tags
        self._stores_refused = stores_refused
        self._dies_at = dies_at
        self._when_raced = when_raced
        self.met = 0
        """Mails whose final dot met another one; looked for with `when_raced` only."""
        self._waiting: list[threading.Event] = []
        self._sessions_good = sessions_good
        self._rest = rest
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.over = threading.Event()
        """Set at the end; answers that hang wait for it."""
        outer = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outer.serve(self)

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                outer.answer(self)

            do_GET = do_DELETE = do_PUT = do_POST = _do  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._smtp = _Smtp(("127.0.0.1", 0), Session)
        self._http = _Http(("127.0.0.1", 0), Request)
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.01,)) for server in (self._smtp, self._http)
        ]

    @property
    def name(self) -> str:
        smtp, rest = self._smtp.server_address[1], self._http.server_address[1]
        return f"http://127.0.0.1:{rest}?smtp=127.0.0.1:{smtp}"

    def __enter__(self) -> "ScriptedServer":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._cut_all()
        for server, thread in zip((self._smtp, self._http), self._threads, strict=True):
            server.shutdown()
            self._cut_all()
            server.server_close()
            thread.join()

    def serve(self, session: socketserver.StreamRequestHandler) -> None:
        """One SMTP session, by the script once the good ones are over."""
        with self._lock:
            self.sessions += 1
            script = self._script if self.sessions > self._sessions_good else {}
        with self._held(session.connection):
            try:
                self._converse(session, script)
            except OSError:
                pass

    def _converse(self, session: socketserver.StreamRequestHandler, script: Script) -> None:
        recipients: list[str] = []
        if not self._say(session, script, "greeting"):
            return
        for line in session.rfile:
            word = line.split(b":")[0].split()[0].decode().upper() if line.split() else ""
            self.commands.append(word)
            if word in ("MAIL", "RSET"):
                recipients = []
            elif word == "RCPT":
                recipients.append(line.partition(b"<")[2].partition(b">")[0].decode())
            if not self._say(session, script, word):
                return
            said = script.get("DATA", GOOD["DATA"])
            if word == "DATA" and isinstance(said, bytes) and said.startswith(b"354"):
                content = self._content(session)
                if content is None:
                    return
                is_good = self._when_raced and not self._meets()
                final = GOOD["dot"] if is_good else script.get("dot", GOOD["dot"])
                is_kept = isinstance(final, bytes) and final.startswith(b"2")
                copies = 1 if is_good else self._copies if is_kept or self._stores_refused else 0
                for _ in range(copies):
                    self.box.store(recipients, content, keeps_tags=is_good or self._keeps_tags)
                if not self._say(session, {} if is_good else script, "dot"):
                    return

    def _meets(self) -> bool:
        """Whether another mail's final dot comes while this one waits for it a moment."""
        with self._lock:
            if self._waiting:
                self._waiting.pop().set()
                self.met += 1
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        met = mine.wait(MEET_S)
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
            self.met += 1
        return met or mine.is_set()

    def _content(self, session: socketserver.StreamRequestHandler) -> bytes | None:
        lines: list[bytes] = []
        for line in session.rfile:
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
        return None

    def _say(self, session: socketserver.StreamRequestHandler, script: Script, stage: str) -> bool:
        """Answer at that stage; false where the session ends."""
        if stage == self._dies_at and script is self._script:
            self._die()
            return False
        said = script.get(stage, GOOD.get(stage, b"502 5.5.2 what?\r\n"))
        if isinstance(said, bytes):
            session.wfile.write(said)
            return stage != "QUIT"
        session.wfile.write(said.data)
        if not said.closes:
            session.rfile.read()  # until the client, or the test, closes
        return False

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One REST request; the connection is closed behind it."""
        request.rfile.read(int(request.headers.get("Content-Length") or 0))
        request.close_connection = True
        with self._held(request.connection):
            try:
                status, body = self._body(request.path)
                request.send_response(status)
                request.send_header("Content-Length", str(len(body)))
                request.send_header("Connection", "close")
                request.end_headers()
                request.wfile.write(body)
            except OSError:
                pass

    def _body(self, path: str) -> tuple[int, bytes]:
        answer = self._rest(path) if self._rest is not None else None
        if answer is not None:
            return answer
        url = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path == "/api/v1/search":
            page = self.box.page(query["query"], int(query["start"]), int(query["limit"]))
            return 200, json.dumps(page).encode()
        if url.path == "/api/v1/info":
            return 200, b'{"Version": "v1.30.5"}'
        if url.path == "/api/v1/tags":
            return 200, json.dumps(self.box.page("", 0, 1)["tags"]).encode()
        if url.path.endswith("/raw"):
            source = self.box.sources.get(url.path.split("/")[-2])
            return (404, b"not found") if source is None else (200, source)
        return (200, b"ok") if url.path in ("/livez", "/readyz") else (404, b"not found")

    def _held(self, connection: socket.socket) -> "_Held":
        return _Held(self._open, connection)

    def _cut_all(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _die(self) -> None:
        """Both ports refuse from here on, and what was open is cut off."""
        for server in (self._smtp, self._http):
            server.shutdown()
            server.socket.close()
        self._cut_all()


class _Held:
    """A connection is known as open for as long as it is served."""

    def __init__(self, known: set[socket.socket], connection: socket.socket) -> None:
        self._known, self._connection = known, connection

    def __enter__(self) -> None:
        self._known.add(self._connection)

    def __exit__(self, *_: object) -> None:
        self._known.discard(self._connection)


class _Smtp(socketserver.ThreadingTCPServer):
    """Waits for its sessions at the end, as the other one does."""


class _Http(ThreadingHTTPServer):
    daemon_threads = False
