"""The same requests to a real Mailpit on its own SQLite and on the proxy; docs/steer.md says what differs."""

import http.client
import json
import re
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from mailrace.model.operation import ServerOptions
from mailrace.model.target import Target
from mailrace.steer.database_proxy.loop import Loop
from mailrace.steer.database_proxy.proxy import DatabaseProxy
from mailrace.steer.database_proxy.store import Store
from mailrace.targets import open_target

pytestmark = pytest.mark.mailpit

ID = re.compile(r"\b[0-9A-Za-z]{22}\b")
Talk = list[tuple[str, int, str]]


class Talker:
    """Puts requests to one server and writes down what it is told, IDs by number and times masked."""

    def __init__(self, target: Target) -> None:
        api = urlsplit(target.addresses.api)
        self._http = http.client.HTTPConnection(api.hostname or "", api.port, timeout=10)
        self._smtp_at = (target.addresses.smtp_host, target.addresses.smtp_port)
        self.ids: dict[str, str] = {}
        self.talk: Talk = []

    def send(self, name: str, tags: str, subject: str = "hello") -> None:
        with smtplib.SMTP(*self._smtp_at, timeout=10) as smtp:
            text = (
                f"From: {name}@x.test\r\nTo: to+plus@x.test\r\nSubject: {subject}\r\nReply-To: a1@x.test\r\n"
                f"Message-ID: <{name}@x.test>\r\nX-Tags: {tags}\r\n\r\nbody of {name}\r\n"
            )
            smtp.ehlo("localhost")
            smtp.mail(f"{name}@x.test")
            smtp.rcpt("to+plus@x.test")
            code, said = smtp.data(text)
        self._note(f"send {name}", code, said.decode())

    def ask(self, method: str, path: str, body: object = None) -> object:
        data = json.dumps(body).encode() if body is not None else None
        for name, found in [(n, i) for i, n in self.ids.items()]:
            path = path.replace(name, found)
            data = data.replace(name.encode(), found.encode()) if data else data
        self._http.request(method, path, body=data)
        answer = self._http.getresponse()
        text = answer.read().decode()
        shown = path
        for found, name in self.ids.items():
            shown = shown.replace(found, name)
        self._note(f"{method} {shown}", answer.status, text)
        return json.loads(text) if text[:1] in "[{" else text

    def _note(self, what: str, status: int, text: str) -> None:
        for found in ID.findall(text):
            self.ids.setdefault(found, f"id{len(self.ids) + 1}")
        text = ID.sub(lambda m: self.ids[m[0]], text)
        text = re.sub(r'"(Created|Date)":"[^"]*"', r'"\1":"<time>"', text)
        text = re.sub(r'"Received":\["(?:[^"\\]|\\.)*"\]', '"Received":["<time>"]', text)
        self.talk.append((what, status, text))

    def close(self) -> None:
        self._http.close()


def converse(talker: Talker) -> Talk:
    """Every kind of request whose statements steer holds."""
    talker.send("m1", "foo, Bar")
    talker.send("m2", "FOO")
    talker.send("m3", "")
    talker.ask("GET", "/api/v1/messages")
    talker.ask("GET", "/api/v1/messages?start=1&limit=1")
    talker.ask("GET", "/api/v1/tags")
    for query in ("to:x.test", "tag:foo", "from:m2", "subject:hello", "is:unread", "nothing%20here"):
        talker.ask("GET", f"/api/v1/search?query={query}")
    talker.ask("GET", "/api/v1/message/id1/headers")
    talker.ask("GET", "/api/v1/message/id1")
    talker.ask("GET", "/api/v1/search?query=is:read")
    talker.ask("GET", "/api/v1/message/none")
    talker.ask("PUT", "/api/v1/tags", {"IDs": ["id1"], "Tags": ["one", "two"]})
    talker.ask("PUT", "/api/v1/tags", {"IDs": ["id2"], "Tags": []})
    talker.ask("PUT", "/api/v1/tags", {"IDs": ["unknown"], "Tags": ["ghost"]})
    talker.ask("GET", "/api/v1/tags")
    talker.ask("PUT", "/api/v1/tags/one", {"Name": "uno"})
    talker.ask("PUT", "/api/v1/tags/uno", {"Name": "two"})
    talker.ask("PUT", "/api/v1/tags/absent", {"Name": "x"})
    talker.ask("DELETE", "/api/v1/tags/uno")
    talker.ask("DELETE", "/api/v1/tags/absent")
    talker.ask("PUT", "/api/v1/messages", {"IDs": ["id2"], "Read": True})
    talker.ask("GET", "/api/v1/messages")
    talker.ask("DELETE", "/api/v1/messages", {"IDs": ["id1"]})
    talker.ask("DELETE", "/api/v1/messages", {"IDs": ["id1"]})
    talker.ask("GET", "/api/v1/tags")
    talker.ask("DELETE", "/api/v1/search?query=from:m2")
    talker.ask("GET", "/api/v1/messages")
    talker.send("m4", "foo")
    talker.ask("DELETE", "/api/v1/messages")
    talker.ask("GET", "/api/v1/messages")
    talker.ask("GET", "/api/v1/tags")
    return talker.talk


@contextmanager
def natively(name: str) -> Iterator[Talker]:
    target = open_target(name, ServerOptions())
    try:
        target.start()
        talker = Talker(target)
        yield talker
        talker.close()
    finally:
        target.stop()


@contextmanager
def on_the_proxy(name: str) -> Iterator[tuple[Talker, DatabaseProxy]]:
    loop, store = Loop(), Store()
    proxy = DatabaseProxy(loop, store)
    target = open_target(name, ServerOptions(), database=proxy.open_port()[1])
    try:
        with loop.in_background():
            target.start()
            talker = Talker(target)
            yield talker, proxy
            talker.close()
    finally:
        target.stop()
        proxy.close()
        loop.close()


@pytest.mark.parametrize("version", ["1.27.11", "1.30.5"])
def test_every_request_means_the_same_on_the_proxy(real_mailpit: Callable[[str], str], version: str) -> None:
    name = real_mailpit(version)
    with natively(name) as talker:
        native = converse(talker)
    with on_the_proxy(name) as (talker, proxy):
        ours = converse(talker)
        assert proxy.journal, "its statements came through the proxy"
    assert len(native) >= 35
    assert [step for step in zip(native, ours, strict=True) if step[0] != step[1]] == []


def test_a_stale_id_is_an_error_on_both_in_other_words(real_mailpit: Callable[[str], str]) -> None:
    """S4: too few arguments are an error on the proxy too; only the words are those of another driver."""
    told = []
    name = real_mailpit("1.30.5")
    for place in (natively, on_the_proxy):
        with place(name) as it:
            talker = it[0] if isinstance(it, tuple) else it
            talker.send("m1", "")
            talker.ask("GET", "/api/v1/messages")
            talker.ask("DELETE", "/api/v1/messages", {"IDs": ["id1", "stale"]})
            told.append(talker.talk[-1])
    assert [status for _, status, _ in told] == [400, 400]
    assert "missing argument with index 2" in told[0][2]
    assert "not enough args to execute query: want 2 got 1" in told[1][2]
