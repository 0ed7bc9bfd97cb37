"""A relay that releases of messages go to: an SMTP server on loopback that takes and keeps every mail.

It runs in a thread of its own: the server that hands a mail on waits for it, while our loop waits for the
server.
"""

import asyncio
import threading
from collections import defaultdict, deque

from aiosmtpd.smtp import SMTP, Envelope, Session

from mailrace.targets.ready import WAITS

MAIL_BYTES_MAX = 64 * 1024 * 1024


class _Mails:
    """aiosmtpd's handler: what came, in order. A mail is noted before it is answered."""

    def __init__(self) -> None:
        self.taken: deque[bytes] = deque()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content or b""
        self.taken.append(content if isinstance(content, bytes) else content.encode())
        return "250 2.0.0 Ok: taken"


class _Connection(SMTP):
    def __init__(self, mails: _Mails, loop: asyncio.AbstractEventLoop) -> None:
        # aiosmtpd shares this among all sessions, and each new one would clear it.
        self.command_size_limits = defaultdict(lambda: 2048)
        # With a name given, aiosmtpd does not look it up for each connection.
        super().__init__(mails, hostname="localhost", loop=loop, data_size_limit=MAIL_BYTES_MAX)


class Sink:
    """Listens from its making until `close`; its port is the system's choice. Raises OSError."""

    def __init__(self) -> None:
        self._mails = _Mails()
        self._loop = asyncio.new_event_loop()
        listens = self._loop.create_server(lambda: _Connection(self._mails, self._loop), "127.0.0.1", 0)
        self._server = self._loop.run_until_complete(listens)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="the relay", daemon=True)
        self._thread.start()

    @property
    def settings(self) -> str:
        """The text of the `--smtp-relay-config` file by which a Mailpit finds it."""
        return f"host: 127.0.0.1\nport: {self.port}\nauth: none\n"

    def take(self) -> tuple[bytes, ...]:
        """The mails since the last call, in the order in which they came."""
        found = []
        while self._mails.taken:
            found.append(self._mails.taken.popleft())
        return tuple(found)

    def close(self) -> None:
        """End it, with the connections to it; may be called twice."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(WAITS.ready_s)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAITS.ready_s)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        here = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in here:
            task.cancel()
        await asyncio.gather(*here, return_exceptions=True)
