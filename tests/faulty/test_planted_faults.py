"""Each planted fault does what its docstring says, and only where requests meet: seen without our own client.

A note of another in the table of meetings is the other request, so nothing here is left to chance.
"""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mailrace.model.operation import ServerOptions
from mailrace.targets import open_target

from tests.embedded.conversation import Http, Smtp, Speaker
from tests.embedded.rqlite_stand_in import StandIn, stand_in
from tests.faulty.faulty_program import faulty_program

pytestmark = pytest.mark.slow

HEADER = "From: Fay <f@x.test>\r\nTo: t@x.test\r\nMessage-ID: <{0}@x.test>\r\nSubject: {0}\r\n\r\n"
PLANTED = Path(__file__).parent / "planted"
TRIES_MAX = 200


def mail(name: str) -> Smtp:
    lines = ("EHLO c.test", "MAIL FROM:<f@x.test>", "RCPT TO:<t@x.test>", "DATA")
    return Smtp(name, (*lines, f"{HEADER.format(name)}body of {name}\r\n.", "MAIL FROM:<f@x.test>"))


class Faulty:
    """A running faulty server on a store of its own, and what it answers."""

    def __init__(self, store: StandIn, speaker: Speaker) -> None:
        self.store, self.speaker = store, speaker

    def meets(self, note: str) -> None:
        """From now on another is there, with that note."""
        self.store.run("execute", ["INSERT INTO meeting (Note) VALUES (?)", note])

    def send(self, name: str) -> list[str]:
        return self.speaker.say(mail(name))  # type: ignore[return-value]

    def rows(self) -> list[dict[str, Any]]:
        answer: Any = self.speaker.say(Http("GET", "/api/v1/messages"))
        return list(answer["body"].get("messages", []))

    def raw(self) -> str:
        answer: Any = self.speaker.say(Http("GET", "/api/v1/message/latest/raw"))
        return str(answer["body"])


@contextmanager
def serving(fault: str, folder: Path, of: str = "fixed") -> Iterator[Faulty]:
    with stand_in() as store:
        name = faulty_program(folder, fault, of)
        target = open_target(name, ServerOptions(), folder=folder, database=store.url)
        try:
            target.start()
            place = target.addresses
            yield Faulty(store, Speaker((place.smtp_host, place.smtp_port), place.api))
        finally:
            target.stop()


OTHER = HEADER.format("other") + "body of other\r\n"


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("swapped_bodies", lambda s: "\r\n\r\nbody of other" in s.raw() and "Subject: mine" in s.raw()),
        ("swapped_subjects", lambda s: s.rows()[0]["Subject"] == "other" and "body of mine" in s.raw()),
        ("empty_from", lambda s: s.rows()[0].get("From") in (None, {})),
    ],
)
def test_what_is_stored_is_mixed_where_two_meet(
    fault: str, seen: Callable[[Faulty], bool], tmp_path: Path
) -> None:
    with serving(fault, tmp_path) as server:
        server.send("mine")
        assert not seen(server), "alone, it is stored as sent"
        server.meets(OTHER)
        assert server.send("mine")[5].startswith("250 2.0.0 Ok: queued as")
        assert seen(server)


def test_the_second_is_told_the_id_of_the_first(tmp_path: Path) -> None:
    with serving("same_id_told_twice", tmp_path) as server:
        server.send("a")
        assert len(set(server.speaker.ids)) == 1
        server.meets("")
        server.send("b")
    assert len(server.speaker.ids) == 2
    assert len(set(server.speaker.ids)) == 1


def test_the_oldest_mail_is_gone_after_a_meeting(tmp_path: Path) -> None:
    with serving("older_mail_deleted", tmp_path) as server:
        server.send("old")
        server.send("young")
        assert len(server.rows()) == 2
        server.meets("")
        server.send("new")
        assert [row["Subject"] for row in server.rows()] == ["new", "young"]


@pytest.mark.parametrize(("note", "left"), [("edit", ["first"]), ("mail", ["second", "first"])])
def test_mail_is_lost_beside_an_edit_only(note: str, left: list[str], tmp_path: Path) -> None:
    with serving("untouched_mail_lost_beside_an_edit", tmp_path) as server:
        server.send("first")
        server.meets(note)
        assert server.send("second")[5].startswith("250")
        assert [row["Subject"] for row in server.rows()] == left


def test_an_edit_leaves_its_note_while_it_runs(tmp_path: Path) -> None:
    with serving("untouched_mail_lost_beside_an_edit", tmp_path) as server:
        server.send("one")
        server.speaker.say(Http("PUT", "/api/v1/tags", '{"IDs":["{0}"],"Tags":["T"]}'))
    texts = [text for text in server.store.texts if "meeting" in text or "INTO tags" in text]
    insert, _, _, *edited = texts[1:]
    assert insert.startswith("execute INSERT INTO meeting"), texts
    assert [t.split()[1] for t in edited] == ["INSERT", "SELECT", "INSERT", "DELETE"], "the edit lies within"


def test_mails_are_refused_or_forgotten(tmp_path: Path) -> None:
    with serving("refuses_everything", tmp_path) as server:
        assert server.send("mine")[5].startswith("451")
        assert server.rows() == []
    with serving("stores_nothing", tmp_path) as server:
        assert server.send("mine")[5].startswith("250 2.0.0 Ok: queued as")
        assert server.rows() == []


def test_the_next_mail_is_refused_once(tmp_path: Path) -> None:
    with serving("next_mail_refused", tmp_path) as server:
        assert server.send("alone")[6].startswith("250")
        server.meets("")
        assert server.send("met")[6].startswith("451")


def test_lists_fail_after_a_meeting_and_come_back(tmp_path: Path) -> None:
    with serving("lists_fail_after_a_race", tmp_path) as server:
        server.send("alone")
        assert len(server.rows()) == 1
        server.meets("")
        server.send("met")
        looks: list[Any] = [server.speaker.say(Http("GET", "/api/v1/search?query=met")) for _ in range(4)]
        assert [look["status"] for look in looks] == [500, 500, 500, 200]


def test_a_correct_server_sends_one_statement_after_its_reply(tmp_path: Path) -> None:
    with serving("statement_after_the_reply", tmp_path) as server:
        assert server.send("mine")[5].startswith("250")
        server.store.wait_for("execute DELETE FROM settings")
        assert [row["Subject"] for row in server.rows()] == ["mine"]


def test_without_a_store_between_them_two_connections_meet_in_memory(tmp_path: Path) -> None:
    """Both final dots lie in the server's sockets before it looks again, in nearly every try."""
    name = faulty_program(tmp_path, "swapped_bodies", meeting="memory")
    target = open_target(name, ServerOptions(), folder=tmp_path)
    try:
        target.start()
        place = target.addresses
        for _ in range(TRIES_MAX):
            _send_two_at_once((place.smtp_host, place.smtp_port))
            api = Speaker(("", 0), place.api)
            listed: Any = api.say(Http("GET", "/api/v1/messages?limit=2"))
            assert {row["Subject"] for row in listed["body"]["messages"]} == {"a", "b"}
            raws = [api.say(Http("GET", f"/api/v1/message/{{{i}}}/raw")) for i in (-1, -2)]
            if any(_is_mixed(raw) for raw in raws):
                return
        pytest.fail(f"not mixed in {TRIES_MAX} tries")
    finally:
        target.stop()


def _is_mixed(raw: Any) -> bool:
    head, _, body = str(raw["body"]).partition("\r\n\r\n")
    return head.rpartition("Subject: ")[2] != body.strip().removeprefix("body of ")


def _send_two_at_once(place: tuple[str, int]) -> None:
    links = [socket.create_connection(place, 10) for _ in range(2)]
    readers = [link.makefile("rb") for link in links]
    for name, link, reader in zip("ab", links, readers, strict=True):
        reader.readline()
        for line in mail(name).lines[:4]:
            link.sendall(line.encode() + b"\r\n")
            while reader.readline()[3:4] == b"-":
                pass
        link.sendall(f"{HEADER.format(name)}body of {name}\r\n.\r".encode())
    for link in links:
        link.sendall(b"\n")
    for link, reader in zip(links, readers, strict=True):
        assert reader.readline().startswith(b"250")
        reader.close()
        link.close()


def test_every_planted_fault_is_registered_and_says_what_is_seen() -> None:
    """The register itself is filled in the server's process only; here its source is read."""
    text = "".join(file.read_text(encoding="utf-8") for file in sorted(PLANTED.glob("*.py")))
    assert text.count("@fault\n") >= 11
    assert json.dumps(text).count('(meet: Meet) -> None:\\n    \\"\\"\\"') == text.count("@fault\n")
