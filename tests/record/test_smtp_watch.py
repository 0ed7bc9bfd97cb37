"""What an SMTP connection says, however its bytes are cut: mails, refusals, pipelining, logins."""

import hashlib

import pytest
from mailrace.model.attempt import Outcome
from mailrace.record.smtp import SmtpWatch
from mailrace.record.watch import TLS_WORDS, LostTrack

from tests.record.traffic import Told

MAIL = b"Message-ID: <m1@x>\r\nX-Tags: one,\r\n two\r\nSubject: s\r\n\r\n..dot\r\nbody\r\n"
Conversation = list[tuple[str, bytes]]
ONE_MAIL: Conversation = [
    ("S", b"220 hi\r\n"),
    ("C", b"EHLO me\r\n"),
    ("S", b"250-hi\r\n250-SIZE 0\r\n250 ENHANCEDSTATUSCODES\r\n"),
    ("C", b"MAIL FROM:<a@b.test>\r\n"),
    ("S", b"250 ok\r\n"),
    ("C", b"RCPT TO:<c+three@d.test>\r\n"),
    ("S", b"250 ok\r\n"),
    ("C", b"RCPT TO:<no@d.test>\r\n"),
    ("S", b"550 no\r\n"),
    ("C", b"DATA\r\n"),
    ("S", b"354 go\r\n"),
    ("C", MAIL + b".\r\n"),
    ("S", b"250 2.0.0 Ok: queued as AbC12\r\n"),
]


def watched(conversation: Conversation, pieces: int = 0) -> Told:
    """What is told of a conversation whose chunks come in pieces of so many bytes; 0: whole."""
    told, t_ns = Told(), 0
    watch = SmtpWatch(told.teller)
    for side, data in conversation:
        step = pieces or len(data) or 1
        for at in range(0, len(data), step):
            t_ns += 1
            show = watch.client_sent if side == "C" else watch.server_sent
            show(data[at : at + step], t_ns)
    watch.ended(t_ns + 1)
    return told


@pytest.mark.parametrize("pieces", [0, 1, 2, 3, 5, 7])
def test_a_mail_is_one_operation_however_its_bytes_are_cut(pieces: int) -> None:
    (one,) = watched(ONE_MAIL, pieces).operations
    assert (one.kind, one.outcome, one.code, one.queued_as) == ("send", Outcome.OK, 250, "AbC12")
    assert (one.sender, one.recipients) == ("a@b.test", ("c+three@d.test",))
    assert (one.message_id, one.tags) == ("m1@x", ("one", "two", "three"))
    assert (one.size, one.digest) == (len(MAIL), hashlib.sha256(MAIL).hexdigest())


def test_a_refusal_to_the_final_dot_is_told_with_the_mail() -> None:
    (one,) = watched([*ONE_MAIL[:-1], ("S", b"451 4.3.5 Unable to process mail\r\n")]).operations
    assert (one.outcome, one.code, one.text) == (Outcome.FAIL, 451, "4.3.5")
    assert one.digest


def test_a_mail_refused_before_its_data_has_no_digest() -> None:
    (one,) = watched([*ONE_MAIL[:4], ("S", b"503 5.5.1 Bad sequence of commands\r\n")]).operations
    assert (one.outcome, one.code, one.digest) == (Outcome.FAIL, 503, "")


def test_pipelined_commands_are_matched_with_their_replies_in_order() -> None:
    envelope = b"MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n"
    both = [
        ("S", b"220 hi\r\n"),
        ("C", envelope),
        ("S", b"250 ok\r\n250 ok\r\n354 go\r\n"),
        ("C", MAIL + b".\r\n" + envelope),
        ("S", b"250 ok\r\n"),
        ("S", b"250 ok\r\n250 ok\r\n354 go\r\n"),
        ("C", b".\r\n"),
        ("S", b"250 ok\r\n"),
    ]
    one, other = watched(both).operations
    assert (one.size, other.size, other.recipients) == (len(MAIL), 0, ("c@d.test",))


def test_a_mail_that_was_sent_ahead_of_all_replies_has_its_sender_and_its_beginning() -> None:
    commands = b"RSET\r\nEHLO me\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n"
    replies = b"250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"
    ahead = [
        ("C", commands),
        ("S", b"220 hi\r\n"),
        ("S", replies),
        ("C", MAIL + b".\r\n"),
        ("S", b"250 ok\r\n"),
    ]
    (one,) = watched(ahead).operations
    assert (one.sender, one.recipients, one.invoked_ns) == ("a@b.test", ("c@d.test",), 1)
    (lost,) = watched(ahead[:2]).operations
    assert (lost.sender, lost.outcome, lost.code) == ("a@b.test", Outcome.FAIL, 0)


@pytest.mark.parametrize(
    ("sent", "outcome"), [(b"", Outcome.FAIL), (MAIL, Outcome.FAIL), (MAIL + b".\r\n", Outcome.UNKNOWN)]
)
def test_a_lost_link_leaves_a_mail_unknown_only_once_its_dot_was_sent(sent: bytes, outcome: Outcome) -> None:
    (one,) = watched([*ONE_MAIL[:-2], ("C", sent)]).operations
    assert (one.outcome, one.code) == (outcome, 0)


def test_a_login_is_followed_and_kept_nowhere() -> None:
    login = [
        *ONE_MAIL[:3],
        ("C", b"AUTH LOGIN\r\n"),
        ("S", b"334 VXNlcm5hbWU6\r\n"),
        ("C", b"c2VjcmV0LXVzZXI=\r\n"),
        ("S", b"334 UGFzc3dvcmQ6\r\n"),
        ("C", b"c2VjcmV0LXBhc3M=\r\n"),
        ("S", b"235 ok\r\n"),
        *ONE_MAIL[3:],
    ]
    told = watched(login)
    assert len(told.operations) == 1
    assert "c2VjcmV0" not in repr(told.operations)


def test_after_starttls_nothing_is_understood_and_that_is_said() -> None:
    told = watched(
        [*ONE_MAIL[:3], ("C", b"STARTTLS\r\n"), ("S", b"220 go\r\n"), ("C", b"\x16\x03\x01"), ("S", b"\x16")]
    )
    assert told.operations == []
    assert [note.why for note in told.notes] == ["STARTTLS: what follows is encrypted"]


@pytest.mark.parametrize("reply", [b"hello\r\n", b"250 ok\r\n250 nobody asked\r\n"])
def test_bytes_that_are_no_smtp_lose_the_track(reply: bytes) -> None:
    with pytest.raises(LostTrack):
        watched([("S", reply)])


HELLO, GREETING = ("C", b"\x16\x03\x01\x02\x00hello\r\n"), ("S", b"220 hi\r\n")
REFUSED = [("S", b"5"), ("S", b"00 what?\r\n"), ("S", b"421 too many\r\n")]


@pytest.mark.parametrize("turns", [[GREETING, HELLO], [HELLO, GREETING], [HELLO]])
def test_tls_that_a_server_refuses_line_by_line_did_nothing(turns: Conversation) -> None:
    assert watched([*turns, *REFUSED]).notes == []


@pytest.mark.parametrize("answer", [[], [("S", b"\x16\x03\x03")], [*REFUSED, ("S", b"250 ok\r\n")]])
def test_tls_that_may_have_been_understood_passes_unread(answer: Conversation) -> None:
    told = watched([HELLO, *answer])
    assert [note.why for note in told.notes] == [TLS_WORDS]
