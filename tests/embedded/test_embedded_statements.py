"""The statements of the embedded reference, as they go to rqlite, beside those of the release it follows."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from mailrace.model.operation import ServerOptions
from mailrace.targets import ManagedTarget, open_target, why_not

from tests.absent import nowhere_to_be_had
from tests.embedded.conversation import Http, Pop3, Speaker, Step
from tests.embedded.conversation_mails import BASE, IMAGE, SMTP_STEPS, mail
from tests.embedded.conversation_steps import LOGIN
from tests.embedded.rqlite_stand_in import stand_in

A = "/api/v1"
_BROADCAST = ("query SELECT COUNT(*) FROM mailbox", "query SELECT COUNT(*) FROM mailbox WHERE Read = ?")
"""Sent a quarter of a second after a change: where among others is chance, so they are left out."""

_LAST_OF_START = {
    "1.17": "execute UPDATE mailbox SET Tags",
    "1.": "execute INSERT INTO settings (Key, Value)",
}
"""What a release sends last, by itself, to bring old stores up to date; beside the first requests else."""

STEPS: tuple[Step, ...] = (
    mail("new tags", BASE + "Subject: a\r\nMessage-ID: <a@x.test>\r\nX-Tags: Red, Blue"),
    mail("a known tag", BASE + "Subject: b\r\nMessage-ID: <b@x.test>\r\nX-Tags: red"),
    mail("a known Message-ID", BASE + "Subject: b\r\nMessage-ID: <b@x.test>\r\nX-Tags: Green"),
    mail("no tags", BASE + "Subject: c\r\nMessage-ID: <c@x.test>"),
    Http("GET", f"{A}/messages"),
    Http("GET", f"{A}/search?query=to:t@x.test+tag:red+-is:read+hello+subject:a"),
    Http("GET", f"{A}/search?query=addressed:t@x.test+is:tagged+has:attachment"),
    Http("GET", f"{A}/message/latest"),
    Http("GET", f"{A}/message/latest"),
    Http("GET", f"{A}/message/latest/raw"),
    Http("GET", f"{A}/message/nothere"),
    Http("GET", f"{A}/tags"),
    Http("GET", f"{A}/info"),
    Http("PUT", f"{A}/tags", '{"IDs":["ghost"],"Tags":["New","red"]}'),
    Http("PUT", f"{A}/tags", '{"IDs":["ghost"],"Tags":["Newer"]}'),
    Http("PUT", f"{A}/messages", '{"IDs":["x","y"],"Read":true}'),
    Http("PUT", f"{A}/messages", '{"IDs":["x","y"],"Read":false}'),
    Http("PUT", f"{A}/messages", '{"Read":true}'),
    Http("PUT", f"{A}/messages", '{"Search":"tag:red","Read":false}'),
    Http("PUT", f"{A}/tags/Newer", '{"Name":"Newest"}'),
    Http("PUT", f"{A}/tags/nothere", '{"Name":"x"}'),
    Http("DELETE", f"{A}/tags/Newest"),
    Http("DELETE", f"{A}/messages", '{"IDs":["nothere","neither"]}'),
    Http("PUT", f"{A}/messages", '{"IDs":["{0}"],"Read":true}'),
    Http("PUT", f"{A}/tags", '{"IDs":["{0}","{1}"],"Tags":["Blue"]}'),
    Http("DELETE", f"{A}/messages", '{"IDs":["{0}"]}'),
    Http("DELETE", f"{A}/search?query=subject:c"),
    Http("POST", f"{A}/send", '{"From":{"Email":"f@x.test"},"To":[{"Email":"t@x.test"}],"Tags":["Q"]}'),
    mail("an image", BASE + "Subject: i\r\nContent-Type: multipart/mixed; boundary=b2", IMAGE),
    Http("GET", f"{A}/message/latest"),
    Http("GET", f"{A}/message/latest"),
    Http("DELETE", f"{A}/search?query=subject:i"),
    Http("GET", f"{A}/message/{{-1}}"),
    Http("GET", "/view/latest"),
    Http("POST", f"{A}/message/{{-1}}/release", '{"To":["t@y.test"]}'),
    Http("POST", f"{A}/message/nothere/release", '{"To":["t@y.test"]}'),
    Pop3("retrieve and mark", (*LOGIN, "UIDL", "RETR 1", "DELE 1")),
    Pop3("delete", (*LOGIN, "RETR 2", "DELE 1", "DELE 2", "QUIT")),
    Http("DELETE", f"{A}/messages"),
)


def _texts(name: str, folder: Path, has_pop3: bool) -> list[tuple[str, list[str]]]:
    """Step by step, the statements that the target sent for it."""
    found = []
    with stand_in() as store:
        options = ServerOptions(ignore_duplicate_ids=True, pop3=True, relay=True)
        target = open_target(name, options, folder=folder, database=store.url)
        try:
            target.start()
            if name.startswith("mailpit@"):
                version = name.removeprefix("mailpit@")
                store.wait_for(next(text for v, text in _LAST_OF_START.items() if version.startswith(v)))
            place = target.addresses
            speaker = Speaker(place.of("smtp")[:2], place.api, place.of("pop3")[:2])
            for step in STEPS if has_pop3 else [one for one in STEPS if not isinstance(one, Pop3)]:
                before = len(store.texts)
                speaker.say(step)
                found.append((step.name, [t for t in store.texts[before:] if t not in _BROADCAST]))
        finally:
            target.stop()
    return found


def _compared(version: str, folder: Path) -> None:
    # Before 1.18.6 a Mailpit's POP3 is another, which the reference has not.
    has_pop3 = not version.startswith("1.17")
    ours, theirs = (_texts(f"{kind}@{version}", folder, has_pop3) for kind in ("embedded", "mailpit"))
    for our_step, their_step in zip(ours, theirs, strict=True):
        assert our_step == their_step
    assert len(list(itertools.chain.from_iterable(texts for _, texts in ours))) > 60


@pytest.mark.mailpit
@pytest.mark.parametrize("version", ["1.27.11", "1.30.5", "1.33.1"])
def test_statements_are_those_of_the_release(
    version: str, real_mailpit: Callable[[str], str], tmp_path: Path
) -> None:
    real_mailpit(version)
    _compared(version, tmp_path)


@pytest.mark.mailpit
@pytest.mark.parametrize("version", ["1.17.0", "1.17.1"])
def test_statements_are_those_of_a_release_that_may_be_absent(version: str, tmp_path: Path) -> None:
    if reason := why_not(f"mailpit@{version}"):
        nowhere_to_be_had(reason)
    _compared(version, tmp_path)


_SLOW = [pytest.param(version, marks=pytest.mark.slow) for version in ("1.17.0", "1.27.11", "1.33.1")]


@pytest.mark.parametrize("version", [*_SLOW, "fixed"])
def test_over_http_the_answers_are_those_of_sqlite(version: str, tmp_path: Path) -> None:
    steps = (*SMTP_STEPS, *(step for step in STEPS if isinstance(step, Http)))
    answers = []
    with stand_in() as store:
        for database in (None, store.url):
            target = open_target(f"embedded@{version}", ServerOptions(), folder=tmp_path, database=database)
            try:
                target.start()
                place = target.addresses
                speaker = Speaker((place.smtp_host, place.smtp_port), place.api)
                answers.append([(step.name, speaker.say(step)) for step in steps])
            finally:
                target.stop()
        sent = [text.split(" ", 1)[1] for text in store.texts]
    assert answers[0] == answers[1]
    # Only the transactions of `fixed` are real, so only they are on the wire.
    assert ("BEGIN IMMEDIATE" in sent, "COMMIT" in sent) == (version == "fixed", version == "fixed")


def test_a_transaction_of_fixed_is_one_stretch_on_the_wire(tmp_path: Path) -> None:
    with stand_in() as store:
        target = open_target("embedded@fixed", ServerOptions(), folder=tmp_path, database=store.url)
        try:
            target.start()
            place = target.addresses
            before = len(store.texts)
            Speaker((place.smtp_host, place.smtp_port), place.api).say(STEPS[0])
            texts = [text.split(" ", 1)[1] for text in store.texts[before:]]
        finally:
            target.stop()
    assert texts[0] == "BEGIN IMMEDIATE"
    end = texts.index("COMMIT")
    assert any(text.startswith("INSERT INTO mailbox ") for text in texts[:end])
    assert texts[end - 1].startswith("INSERT INTO message_tags")


def test_two_instances_share_a_store(tmp_path: Path) -> None:
    with stand_in() as store:
        options = ServerOptions(instances=2)
        target = open_target("embedded@1.17.1", options, folder=tmp_path, database=store.url)
        assert isinstance(target, ManagedTarget)
        try:
            target.start()
            speakers = [Speaker((a.smtp_host, a.smtp_port), a.api) for a in target.addresses_all]
            for speaker in speakers:
                speaker.say(mail("one each", BASE + "Subject: x\r\nX-Tags: Shared"))
            answers = [speaker.say(Http("GET", f"{A}/messages")) for speaker in speakers]
        finally:
            target.stop()
    for answer in answers:
        rows = answer["body"]["messages"]  # type: ignore[index]
        assert [row["Tags"] for row in rows] == [["Shared"], ["Shared"]]
