"""A source beside what was sent: what Mailpit itself adds or changes is no difference, all else is."""

import pytest
from mailrace.actors import render
from mailrace.check import compare_source

from tests.check.rounds import mail

HEAD = b"From: <a@x.test>\r\nTo: <b@x.test>,\r\n <c@x.test>\r\nSubject: s\r\nMessage-ID: <1@x.test>\r\n"
SENT = HEAD + b"\r\nfirst\r\n.dot\r\n\xff\x00\r\n" + b"y" * 5_000 + b"\r\n"
ADDED = (
    b"Bcc: d@x.test,\r\n e@x.test\r\nReturn-Path: <a@x.test>\r\n"
    b"Received: from localhost (unknown [127.0.0.1])\r\n        by host (Mailpit) with SMTP\r\n"
    b"        for <b@x.test>; Thu, 1 Jan 2026 00:00:00 +0000 (UTC)\r\n"
)


@pytest.mark.parametrize(
    ("sent", "raw"),
    [
        (SENT, ADDED + SENT),
        (SENT.replace(b"\r\nfirst", b"\r\r\nfirst"), ADDED + SENT),
        (SENT, SENT.replace(b"\r\nfirst", b"\r\r\nfirst")),
        (b"Return-Path: <z@x.test>\r\n" + SENT, b"Received: x\r\nReturn-Path: <a@x.test>\r\n" + SENT),
        (
            b"Subject: s\r\n\r\nno ID\r\n",
            b"Message-ID: <own@mailpit>\r\nReturn-Path: <a@x>\r\nSubject: s\r\n\r\nno ID\r\n",
        ),
        (HEAD + b"Message-ID: <2@x.test>\r\n\r\n\r\n", ADDED + HEAD + b"Message-ID: <2@x.test>\r\n\r\n\r\n"),
        (b"Subject: only a head\r\n", ADDED + b"Subject: only a head\r\n"),
    ],
)
def test_what_mailpit_adds_is_no_difference(sent: bytes, raw: bytes) -> None:
    source = compare_source(sent, raw)
    assert (source.size_bytes, source.difference) == (len(raw), "")


@pytest.mark.parametrize(
    ("raw", "difference"),
    [
        (SENT.replace(b"Subject: s", b"Subject: t"), "'Subject: t' is stored where 'Subject: s' was sent"),
        (SENT.replace(b"first", b"First"), "'First' is stored where 'first' was sent"),
        (SENT.replace(b".dot", b"..dot"), "'..dot' is stored where '.dot' was sent"),
        (SENT.replace(b"\xff", b"\xc3\xbf"), "'ÿ\\x00' is stored where '\\\\xff\\x00' was sent"),
        (SENT[:-2], "nothing more is stored where '' was sent"),
        (SENT + b"more\r\n", "'more' is stored where '' was sent"),
        (b"", "'' is stored where 'From: <a@x.test>' was sent"),
        (b"X-New: x\r\n" + SENT, "'X-New: x' is stored where 'From: <a@x.test>' was sent"),
    ],
)
def test_what_differs_is_told(raw: bytes, difference: str) -> None:
    assert compare_source(SENT, raw).difference == difference


POSTED = (
    b"Bcc: bb@x.test\r\nReturn-Path: <r@x.test>\r\nContent-Transfer-Encoding: quoted-printable\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
    b"From: <%(key)s@mrk3f9x2ab.test>\r\nMessage-Id: <%(key)s.x@mrk3f9x2ab.test>\r\nMime-Version: 1.0\r\n"
    b"Reply-To: <a1@mrk3f9x2ab.test>\r\nSubject: mailrace r00041 %(mark)s\r\n"
    b"To: <r00041.%(mark)s@mrk3f9x2ab.test>\r\n"
    b"X-Mailrace: run=mrk3f9x2ab.test; message=%(key)s; attempt=1\r\n\r\n"
    b"%(key)s\r\nThe quick brown fox jumps over the lazy dog while two senders w=\r\nait.\r\n%(rest)s\r\n"
)


@pytest.mark.parametrize(
    ("planted", "difference"),
    [
        ({}, ""),
        ({b"rest": b"x" * 37}, "'" + "x" * 37 + "' is stored where '" + "x" * 38 + "' was sent"),
        (
            {b"mark": b"s02"},
            "'To: r00041.s02@mrk3f9x2ab.test' is stored where 'To: r00041.s01@mrk3f9x2ab.test' was sent",
        ),
    ],
)
def test_over_rest_the_server_writes_the_message_itself(planted: dict[bytes, bytes], difference: str) -> None:
    message = mail("s01")
    parts = {b"key": b"r00041s01", b"mark": b"s01", b"rest": b"x" * 38} | planted
    assert compare_source(render(message, 1, {}), POSTED % parts, is_posted=True).difference == difference
