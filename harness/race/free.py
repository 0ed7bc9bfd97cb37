"""The baseline that people write by hand: a thread pool and smtplib, same bodies, kept connections."""

import smtplib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from harness.model.attempt import Attempt, Outcome, Stage, Word
from harness.model.operation import Send
from harness.model.target import Addresses


class FreeSenders:
    """`count` kept smtplib connections behind a pool of as many threads; nobody is held.

    wait   every thread waits at a barrier first: the next idea that people have
    """

    def __init__(
        self, addresses: Addresses, auth: tuple[str, str] | None, count: int, *, wait: bool = False
    ) -> None:
        self._address = (addresses.smtp_host, addresses.smtp_port)
        self._auth = auth
        self._pool = ThreadPoolExecutor(count)
        self._clients = [self._connect() for _ in range(count)]
        self._barrier = threading.Barrier(count) if wait else None

    def race(self, sends: list[Send], contents: list[bytes], index: int) -> list[Attempt]:
        """Send all at once, one a connection; the attempts, in the order given."""
        return list(self._pool.map(lambda i: self._one(i, sends[i], contents[i], index), range(len(sends))))

    def _connect(self) -> smtplib.SMTP:
        client = smtplib.SMTP(*self._address, local_hostname="localhost", timeout=10)
        if self._auth is not None:
            client.login(*self._auth)
        return client

    def _one(self, actor: int, send: Send, content: bytes, index: int) -> Attempt:
        if self._barrier is not None:
            self._barrier.wait(timeout=10)
        started_ns = time.monotonic_ns()
        code, text, outcome, word = 250, "Ok", Outcome.OK, Word.ACCEPTED
        try:
            if self._clients[actor].sock is None:
                self._clients[actor] = self._connect()
            self._clients[actor].sendmail(send.message.sender, send.message.recipients, content)
        except smtplib.SMTPResponseException as refused:
            code, text = refused.smtp_code, _text(refused.smtp_error)
            outcome, word = Outcome.FAIL, Word.REFUSED
        except (smtplib.SMTPException, OSError) as lost:
            code, text, outcome, word = 0, str(lost), Outcome.UNKNOWN, Word.LINK_LOST
            self._clients[actor].close()
        ended_ns = time.monotonic_ns()
        return Attempt(
            round=index,
            actor=actor,
            operation=send.key,
            message=send.message.key,
            number=1,
            outcome=outcome,
            word=word,
            code=code or None,
            text=text,
            stage=Stage.REPLY,
            marks=((Stage.REPLY, ended_ns),),
            invoked_ns=started_ns,
            released_ns=ended_ns,
            completed_ns=ended_ns,
        )

    def close(self) -> None:
        """End the connections and the pool."""
        for client in self._clients:
            client.close()
        self._pool.shutdown()


def _text(error: bytes | str) -> str:
    return error.decode(errors="replace") if isinstance(error, bytes) else error
