"""What a message looks like on the wire: its marks, its body, and a user's own message kept whole."""

import email
import email.policy
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailrace.actors import render
from mailrace.model.errors import InternalError

from tests.actors.wire import DOMAIN, MAIL

OWN = (
    b"From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: =?utf-8?q?h=C3=A9?=\n"
    b"DKIM-Signature: v=1;\n a=rsa\nMessage-Id: <own@example.org>\n\n.body\nline\n"
)


def test_the_marks_of_an_attempt() -> None:
    message = replace(MAIL, to=("a@x.test", "b@x.test"), x_tags=("one", "two"), headers=(("X-Own", "1"),))
    read = email.message_from_bytes(render(message, 3, {}), policy=email.policy.default)
    assert str(read["From"]) == f"<{MAIL.sender}>" or str(read["From"]) == MAIL.sender
    assert [a.addr_spec for a in read["To"].addresses] == ["a@x.test", "b@x.test"]
    assert read["Reply-To"].addresses[0].addr_spec == f"a3@{DOMAIN}"
    assert read["Message-ID"] == f"<{MAIL.message_id}>"
    assert read["X-Tags"] == "one, two"
    assert read["X-Own"] == "1"
    assert read["X-Mailrace"] == f"run={DOMAIN}; message={MAIL.key}; attempt=3"
    assert read["Bcc"] is None, "who is only in the envelope stands in no header"


def test_attempts_of_a_message_differ_in_their_marks_only() -> None:
    first, second = render(MAIL, 1, {}), render(MAIL, 2, {})
    assert first != second
    assert first.replace(b"a1@", b"a2@").replace(b"attempt=1", b"attempt=2") == second


@given(st.integers(0, 2_000))
def test_a_generated_body_has_exactly_the_length_asked_for(length_bytes: int) -> None:
    whole = render(replace(MAIL, body_bytes=length_bytes), 1, {})
    body = whole.partition(b"\r\n\r\n")[2]
    assert len(body) == max(length_bytes, 2), "a CRLF ends it, so two bytes at least"
    assert body.endswith(b"\r\n")
    assert b"\n" not in whole.replace(b"\r\n", b"")


def test_a_malformed_message_has_a_header_line_without_a_colon() -> None:
    head = render(replace(MAIL, malformed=True), 1, {}).partition(b"\r\n\r\n")[0]
    assert [line for line in head.split(b"\r\n") if b":" not in line] == [b"this header line has no colon"]
    head = render(MAIL, 1, {}).partition(b"\r\n\r\n")[0]
    assert all(b":" in line for line in head.split(b"\r\n"))


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_user_s_own_message_keeps_its_other_headers_and_its_body(newline: bytes) -> None:
    own = OWN.replace(b"\n", newline)
    digest = sha256(own).hexdigest()
    whole = render(replace(MAIL, file_sha256=digest, x_tags=("t",)), 1, {digest: own})
    assert b"\n" not in whole.replace(b"\r\n", b"")
    head, _, body = whole.partition(b"\r\n\r\n")
    assert body == b".body\r\nline\r\n"
    lines = head.split(b"\r\n")
    assert lines[:4] == render(MAIL, 1, {}).split(b"\r\n")[:4], "the marks come first"
    assert lines[4:] == [
        b"X-Tags: t",
        f"X-Mailrace: run={DOMAIN}; message={MAIL.key}; attempt=1".encode(),
        b"X-Original-From: Ann <ann@example.org>",
        b"X-Original-To: bob@example.org",
        b"Subject: =?utf-8?q?h=C3=A9?=",
        b"DKIM-Signature: v=1;",
        b" a=rsa",
        b"X-Original-Message-Id: <own@example.org>",
    ]


@pytest.mark.parametrize(
    ("own", "body"),
    [(b"Subject: x", b"\r\n"), (b"Subject: x\n\n", b"\r\n"), (b"Subject: x\n\nno end", b"no end\r\n")],
)
def test_a_user_s_own_message_without_a_body_or_a_last_line_break_is_ended(own: bytes, body: bytes) -> None:
    digest = sha256(own).hexdigest()
    whole = render(replace(MAIL, file_sha256=digest), 1, {digest: own})
    assert whole.endswith(b"\r\nSubject: x\r\n\r\n" + body)


@pytest.mark.parametrize(
    ("own", "sent"),
    [
        (b"A: b\r\r\n\r\nx\r\r\ny\r\r\n", b"A: b\r\r\n\r\nx\r\r\ny\r\r\n"),
        (b"A: b\n\none\rtwo\r\rthree\n", b"A: b\r\n\r\none\rtwo\r\rthree\r\n"),
        (b"A: b\r\n\r\nmixed\nlines\r\n", b"A: b\r\n\r\nmixed\r\nlines\r\n"),
        (b"A: b\n\n\0\xe9\xff\n.\n..\n", b"A: b\r\n\r\n\0\xe9\xff\r\n.\r\n..\r\n"),
    ],
    ids=["CR CR LF", "bare CR", "bare LF", "NUL, 8 bit, dots"],
)
def test_a_user_s_own_bytes_are_sent_as_they_stand_but_for_lone_line_feeds(own: bytes, sent: bytes) -> None:
    digest = sha256(own).hexdigest()
    assert render(replace(MAIL, file_sha256=digest), 1, {digest: own}).endswith(b"\r\n" + sent)


@pytest.mark.parametrize("own", [b"\n To: a@b.test\n", b"\r\nBcc: x@y.test\n\nmore"])
def test_a_file_that_begins_with_an_empty_line_is_all_body(own: bytes) -> None:
    digest = sha256(own).hexdigest()
    whole = render(replace(MAIL, file_sha256=digest), 1, {digest: own})
    head, _, body = whole.partition(b"\r\n\r\n")
    assert b"X-Mailrace: run=" in head.split(b"\r\n")[-1]
    assert b"X-Original" not in whole
    assert body.split() == own.split()


def test_who_stands_in_to_and_in_cc_is_one_recipient() -> None:
    message = replace(MAIL, to=("a@x.test",), cc=("a@x.test", "b@x.test"), bcc=("c@x.test",))
    assert message.recipients == ("a@x.test", "b@x.test", "c@x.test")
    read = email.message_from_bytes(render(message, 1, {}), policy=email.policy.default)
    assert [a.addr_spec for a in read["To"].addresses] == ["a@x.test"]
    assert [a.addr_spec for a in read["Cc"].addresses] == ["a@x.test", "b@x.test"]


def test_many_tags_are_folded_and_stay_what_they_are() -> None:
    tags = tuple(f"tag-{n:03d}" for n in range(101))
    whole = render(replace(MAIL, x_tags=tags), 1, {})
    assert max(map(len, whole.split(b"\r\n"))) <= 998
    read = email.message_from_bytes(whole, policy=email.policy.default)
    assert tuple(tag.strip() for tag in str(read["X-Tags"]).split(",")) == tags


def test_a_message_file_that_the_plan_lost_is_our_mistake() -> None:
    with pytest.raises(InternalError, match="does not hold"):
        render(replace(MAIL, file_sha256="0" * 64), 1, {})


def test_an_image_is_a_part_of_its_own_after_the_text() -> None:
    raw = render(replace(MAIL, image_bytes=1000), 1, {})
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    text, image = parsed.iter_parts()
    plain = render(MAIL, 1, {}).partition(b"\r\n\r\n")[2]
    assert text.get_content().encode() + b"\r\n" == plain, "the last line break is the boundary's"
    assert image.get_content_type() == "image/png"
    assert len(image.get_content()) == 1000 + len(b"\x89PNG")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
