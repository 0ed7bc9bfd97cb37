"""The test that people write by hand: a thread pool, smtplib and requests, kept connections, no hold."""

import smtplib
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import requests

from mailrace.actors import is_smtp
from mailrace.actors.http import request_of
from mailrace.actors.mail import render
from mailrace.model.attempt import Attempt, Outcome, Stage, Word
from mailrace.model.errors import TargetError
from mailrace.model.gateway import GATEWAY
from mailrace.model.operation import Operation, Send
from mailrace.model.target import Target
from mailrace.targets.cutting import shut, whole_within
from mailrace.targets.wires import Smtp, opened_by, wire_url

_Answer = tuple[int, str]
WHOLE_TIMES = 6
"""A whole exchange may take so many times what one read may: as long as replies in a held round."""


class FreeActors:
    """One thread and one kept connection for each actor; nobody is held.

    read_s   how long nothing may come; `whole_s`: how long an exchange may take, however its bytes come
    wait     every thread waits at a barrier first: the next idea that people have
    """

    def __init__(
        self, operations: Sequence[Operation], target: Target, read_s: float, *, wait: bool = False
    ) -> None:
        self._target = target
        self._read_s, self.whole_s = read_s, WHOLE_TIMES * read_s
        self._clients: list[Smtp | requests.Session] = []
        self._opened: dict[int, list[socket.socket]] = {}
        """By actor: the connections that its session has opened."""
        self._pool = ThreadPoolExecutor(len(operations))
        try:
            if target.addresses.smtp_tls:
                raise OSError("it speaks no TLS; hold the last byte instead")
            for actor, operation in enumerate(operations):
                self._clients.append(self._connect() if is_smtp(operation) else self._session(actor))
        except (OSError, smtplib.SMTPException) as wrong:
            self.close()
            raise TargetError(f"{target.name}: `release: at: free` got no session: {wrong}") from wrong
        self._barrier = threading.Barrier(len(operations)) if wait else None

    def race(
        self,
        operations: Sequence[Operation],
        ids: Mapping[str, str],
        contents: Mapping[str, bytes],
        index: int,
    ) -> list[Attempt]:
        """Carry out all at once; the attempts, in the order given."""
        jobs = [
            self._pool.submit(self._attempt, actor, operation, ids, contents, index)
            for actor, operation in enumerate(operations)
        ]
        return [job.result() for job in jobs]

    def close(self) -> None:
        """End the connections, so that no thread waits for one any more, and the pool."""
        for actor, client in enumerate(self._clients):
            shut(self._sockets(actor))
            client.close()
        self._pool.shutdown()

    def _sockets(self, actor: int) -> list[socket.socket | None]:
        client = self._clients[actor]
        return [client.sock] if isinstance(client, Smtp) else list(self._opened[actor])

    def _connect(self) -> Smtp:
        address, auth = self._target.addresses, self._target.credentials.smtp
        client = Smtp(address, self._read_s)
        if auth is not None:
            with client.whole_within(self.whole_s):
                client.login(*auth)
        return client

    def _session(self, actor: int) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.auth = self._target.credentials.api
        self._opened[actor] = opened_by(session, self._target.addresses.api)
        return session

    def _answer(
        self, actor: int, operation: Operation, ids: Mapping[str, str], contents: Mapping[str, bytes]
    ) -> _Answer:
        client = self._clients[actor]
        if isinstance(client, Smtp) and isinstance(operation, Send):
            if client.sock is None:
                client = self._clients[actor] = self._connect()
            message = operation.message
            client.sendmail(message.sender, message.recipients, render(message, 1, contents))
            return 250, "Ok"
        assert isinstance(client, requests.Session)
        method, path, body = request_of(operation, 1, ids, contents)
        answer = client.request(
            method, wire_url(self._target.addresses.api) + path, data=body, timeout=self._read_s
        )
        return answer.status_code, answer.text

    def _attempt(
        self,
        actor: int,
        operation: Operation,
        ids: Mapping[str, str],
        contents: Mapping[str, bytes],
        index: int,
    ) -> Attempt:
        if self._barrier is not None:
            self._barrier.wait(timeout=self._read_s)
        started_ns = time.monotonic_ns()
        try:
            with whole_within(self.whole_s, lambda: self._sockets(actor)):
                code, text = self._answer(actor, operation, ids, contents)
            accepted = 200 <= code < 300
            outcome, word = (Outcome.OK, Word.ACCEPTED) if accepted else (Outcome.FAIL, Word.REFUSED)
            if code in GATEWAY:
                outcome, word = Outcome.UNKNOWN, Word.GATEWAY
        except smtplib.SMTPResponseException as refused:
            error = refused.smtp_error
            code, text = (
                refused.smtp_code,
                error if isinstance(error, str) else error.decode(errors="replace"),
            )
            outcome, word = Outcome.FAIL, Word.REFUSED
        except (smtplib.SMTPException, OSError) as lost:  # requests' own errors are OSErrors
            code, text, outcome = 0, str(lost), Outcome.UNKNOWN
            is_late = isinstance(lost, TimeoutError) or "timed out" in text.lower()
            word = Word.TIMED_OUT if is_late else Word.LINK_LOST
            self._clients[actor].close()
        ended_ns = time.monotonic_ns()
        return Attempt(
            round=index,
            actor=actor,
            operation=operation.key,
            message=operation.message.key if isinstance(operation, Send) else None,
            number=1,
            outcome=outcome,
            word=word,
            code=code or None,
            text=text,
            stage=Stage.REPLY,
            marks=((Stage.REPLY, ended_ns),),
            invoked_ns=started_ns,
            # When its last byte went out is not known; the earliest instant excludes no order wrongly.
            released_ns=started_ns,
            completed_ns=ended_ns,
        )
