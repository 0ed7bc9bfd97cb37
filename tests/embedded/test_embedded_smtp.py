"""What a session leaves behind, who may send, which tags are taken: over real sockets."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mailrace.model.operation import ServerOptions
from mailrace.targets import open_target

from tests.embedded.conversation import Http, Smtp, Speaker
from tests.embedded.conversation_mails import BASE, HELLO, mail

LEAK = Smtp(
    "a refused DATA, no RSET, and a mail of another envelope",
    (
        HELLO,
        "MAIL FROM:<f@x.test>",
        "RCPT TO:<old@x.test>",
        "DATA",
        "no header\r\n\r\nbody\r\n.",
        "MAIL FROM:<g@x.test>",
        "RCPT TO:<t@x.test>",
        "DATA",
        BASE + "Subject: second\r\n\r\nbody\r\n.",
    ),
)


@contextmanager
def serving(version: str, folder: Path, options: ServerOptions | None = None) -> Iterator[Speaker]:
    """A running one, and somebody to talk to it."""
    target = open_target(f"embedded@{version}", options or ServerOptions(), folder=folder)
    try:
        target.start()
        yield Speaker((target.addresses.smtp_host, target.addresses.smtp_port), target.addresses.api)
    finally:
        target.stop()


def rows_of(speaker: Speaker) -> list[dict[str, object]]:
    answer = speaker.say(Http("GET", "/api/v1/messages"))
    return answer["body"]["messages"]  # type: ignore[index, no-any-return]


@pytest.mark.parametrize(
    ("version", "mail_reply", "bcc"),
    [
        ("1.17.0", "250", None),
        ("1.27.11", "250", None),
        ("1.30.5", "503", [{"Address": "old@x.test"}]),
        ("1.33.1", "503", [{"Address": "old@x.test"}]),
        ("fixed", "250", None),
    ],
)
def test_s11_the_old_envelope_leaks(version: str, mail_reply: str, bcc: object, tmp_path: Path) -> None:
    with serving(version, tmp_path) as speaker:
        replies = speaker.say(LEAK)
        assert isinstance(replies, list)
        assert [reply[:3] for reply in replies] == [
            "220", "250", "250", "250", "354", "451", mail_reply, "250", "354", "250",
        ]  # fmt: skip
        assert [row.get("Bcc") for row in rows_of(speaker)] == [bcc]


@pytest.mark.parametrize("version", ["1.17.0", "fixed"])
def test_a_mail_whose_lines_end_in_dots_arrives_whole(version: str, tmp_path: Path) -> None:
    body = "one.\r\n..\r\n...two\r\nthree .\r\n" + "x" * 200_000 + ".\r\nend.\r\n"
    with serving(version, tmp_path) as speaker:
        speaker.say(mail("dots", BASE + "Subject: dots", body))
        raw = speaker.say(Http("GET", "/api/v1/message/latest/raw"))["body"]  # type: ignore[index]
    assert raw.endswith("\r\n\r\none.\r\n.\r\n..two\r\nthree .\r\n" + "x" * 200_000 + ".\r\nend.\r\n")


@pytest.mark.slow
def test_an_attachment_of_12_megabytes_arrives_whole(tmp_path: Path) -> None:
    lines = "QUJDREVGR0hJ" * 6 + "\r\n"
    count = 12_000_000 // len(lines)
    header = BASE + "Subject: big\r\nContent-Type: multipart/mixed; boundary=b"
    start = "--b\r\n\r\nsee the file\r\n--b\r\nContent-Type: application/octet-stream; name=a.bin\r\n"
    start += "Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    with serving("fixed", tmp_path) as speaker:
        replies = speaker.say(mail("big", header, f"{start}{lines * count}--b--\r\n"))
        assert replies[5].startswith("250 2.0.0 Ok: queued as")  # type: ignore[index]
        assert [(row["Attachments"], row["Snippet"]) for row in rows_of(speaker)] == [(1, "see the file")]
        answer = speaker.say(Http("GET", "/api/v1/message/latest"))
    (attached,) = answer["body"]["Attachments"]  # type: ignore[index]
    assert (attached["FileName"], attached["Size"]) == ("a.bin", 54 * count)


@pytest.mark.slow
def test_tags_disabled(tmp_path: Path) -> None:
    header = BASE.replace("<t@", "<t+plus@") + "Subject: x\r\nX-Tags: red"
    for disabled, expected in (
        ((), ["plus", "red"]),
        (("x-tags",), ["plus"]),
        (("plus-addresses",), ["red"]),
        (("plus-addresses", "x-tags"), []),
    ):
        with serving("1.30.5", tmp_path, ServerOptions(tags_disable=disabled)) as speaker:
            speaker.say(mail("tagged", header))
            assert [row.get("Tags", []) for row in rows_of(speaker)] == [expected]


def test_who_may_send(tmp_path: Path) -> None:
    def plain(password: str) -> str:
        return "AUTH PLAIN " + base64.b64encode(f"\0joe\0{password}".encode()).decode()

    login = ("AUTH LOGIN", base64.b64encode(b"joe").decode(), base64.b64encode(b"secret").decode())
    steps = (
        HELLO,
        "MAIL FROM:<f@x.test>",
        plain("wrong"),
        plain("secret"),
        plain("secret"),
        "MAIL FROM:<f@x.test>",
    )
    with serving("1.30.5", tmp_path, ServerOptions(smtp_auth={"joe": "secret"})) as speaker:
        replies = speaker.say(Smtp("plain", steps))
        assert isinstance(replies, list)
        assert "250-AUTH PLAIN LOGIN" in replies[1]
        assert [reply[:3] for reply in replies[2:]] == ["530", "535", "235", "503", "250"]
        replies = speaker.say(Smtp("login", (HELLO, *login, "MAIL FROM:<f@x.test>")))
        assert isinstance(replies, list)
        assert [reply[:3] for reply in replies[2:]] == ["334", "334", "235", "250"]
