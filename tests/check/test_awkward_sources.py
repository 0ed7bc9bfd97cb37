"""Awkward mail through real servers: what Mailpit itself adds or changes is no difference."""

import hashlib
import smtplib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from mailrace.actors import render
from mailrace.check import compare_source
from mailrace.model.operation import ServerOptions
from mailrace.model.target import Target
from mailrace.targets import open_target

from tests.check.rounds import DOMAIN, mail

HEAD = b"From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: hi\nDate: 1 Jan 2026 00:00:00 +0000\n"
CRLF = HEAD.replace(b"\n", b"\r\n")
SHAPES = {
    "utf-8": HEAD.replace(b"hi", "grüße ✓".encode()) + "\nkörper ✓\n".encode(),
    "latin-1": HEAD.replace(b"hi", "größe".encode("latin-1")) + b"\nk\xf6rper\n",
    "dots": CRLF + b"\r\n.dot\r\n..dots\r\n.\r\nend\r\n",
    "bare CR": HEAD + b"\na\rb\rc\n",
    "bare LF": CRLF + b"\r\na\nb\r\nc\n",
    "CR CR LF": CRLF + b"\r\na\r\r\nb\r\n",
    "NUL": HEAD + b"\na\0b\n",
    "long line": HEAD + b"\n" + b"y" * 5_000 + b"\n",
    "long header": HEAD + b"X-Long: " + b"z" * 3_000 + b"\n\nx\n",
    "no Date, no ID": b"From: a@b.c\nSubject: x\n\nbody\n",
    "two IDs": HEAD + b"Message-ID: <a@x>\nMessage-ID: <b@x>\n\nx\n",
    "two subjects": HEAD + b"Subject: second\n\nx\n",
    "folded tags": HEAD + b"X-Tags: a,\n b,\n c\n\nx\n",
    "byte order mark": b"\xef\xbb\xbf" + HEAD + b"\nx\n",
    "mbox line": b"From ann Thu Jan  1 00:00:00 2026\n" + HEAD + b"\nx\n",
    "trace fields": b"Received: by a\n for b\nReceived: by c\nReturn-Path: <zz@x.org>\n" + HEAD + b"\nx\n",
    "own Bcc and Cc": HEAD + b"Bcc: hidden@example.org\nCc: cc@example.org\n\nx\n",
    "HTML": HEAD + b"Content-Type: text/html\n\n<p>hello</p>\n",
    "malformed MIME": HEAD + b"Content-Type: multipart/mixed; boundary=BB\n\nno parts\n",
    "no body": HEAD,
    "empty body": HEAD + b"\n",
    "blank lines at the end": HEAD + b"\nx\n\n\n\n",
    "no line end": HEAD + b"\nx",
}


@pytest.fixture(
    scope="module",
    params=[
        "embedded@fixed",
        pytest.param("mailpit@1.27.11", marks=pytest.mark.mailpit),
        pytest.param("mailpit@1.30.5", marks=pytest.mark.mailpit),
    ],
)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    opened = open_target(request.param, ServerOptions())
    opened.start()
    yield opened
    opened.stop()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_source_of_awkward_mail_is_what_was_sent(shape: str, target: Target) -> None:
    own = SHAPES[shape]
    digest = hashlib.sha256(own).hexdigest()
    key = f"s{list(SHAPES).index(shape) + 1:02d}"
    message = replace(mail(key), bcc=(f"hid@{DOMAIN}",), file_sha256=digest)
    sent = render(message, 1, {digest: own})
    with smtplib.SMTP(target.addresses.smtp_host, target.addresses.smtp_port, timeout=10) as link:
        link.ehlo()
        link.mail(message.sender)
        for recipient in message.recipients:
            link.rcpt(recipient)
        assert link.data(sent)[0] == 250
    (row,) = [one for one in target.stored(DOMAIN).messages if one.key == message.key]
    raw = target.source(row.id)
    assert raw is not None
    source = compare_source(sent, raw)
    assert (source.difference, source.size_bytes) == ("", row.size)
    assert compare_source(sent.replace(message.key.encode(), b"r00041s99"), raw).difference
