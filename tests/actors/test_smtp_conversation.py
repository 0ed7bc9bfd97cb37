"""A sender's conversation byte by byte: replies of every shape, and the held byte at every stage."""

from dataclasses import replace

import pytest
from mailrace.actors import opening, reset, transaction
from mailrace.actors.smtp import ReplyParser
from mailrace.model.attempt import Outcome, Stage, Word

from tests.actors.wire import ACCEPTS, CONTENT, MAIL, Talk, send_talk

MAILED = b"MAIL FROM:<r00041s01@mrk3f9x2ab.test>\r\n"
TO, BCC = b"RCPT TO:<r00041.s01@mrk3f9x2ab.test>\r\n", b"RCPT TO:<r00041.b01@mrk3f9x2ab.test>\r\n"
TWO = "a reply with two codes, 250 and 451"
STUFFED = b"From: <a@b>\r\n\r\none\r\n..two\r\n.\r\n"


def test_a_message_is_written_command_by_command_and_its_last_byte_apart() -> None:
    talk = send_talk().hears(ACCEPTS)
    assert talk.written == [MAILED, TO, BCC, b"DATA\r\n", STUFFED[:-1], b"\n", b""]
    found = talk.attempt
    assert (found.outcome, found.word, found.code, found.text) == (
        Outcome.OK, Word.ACCEPTED, 250, "2.0.0 Ok: queued",
    )  # fmt: skip
    # The clock ticks: 1 open, 2 to 5 the replies, 6 the release, 7 the answer.
    assert found.marks == (
        (Stage.MAIL, 2), (Stage.RCPT, 3), (Stage.RCPT, 4), (Stage.DATA, 5), (Stage.HELD, 5),
        (Stage.RELEASED, 6), (Stage.REPLY, 7),
    )  # fmt: skip
    assert (found.invoked_ns, found.released_ns, found.completed_ns) == (1, 6, 7)


@pytest.mark.parametrize(
    ("stage", "replies_before", "last"),
    [(Stage.MAIL, 0, False), (Stage.RCPT, 1, False), (Stage.DATA, 3, False), (Stage.REPLY, 4, True)],
)
def test_a_byte_is_held_once_and_only_the_last_one_makes_a_loss_unknown(
    stage: Stage, replies_before: int, last: bool
) -> None:
    talk = send_talk(stage)
    for number in range(replies_before):
        assert len(talk.written) == 1 + number, "nothing is held before its stage"
        talk.hears([ACCEPTS[number]])
    assert talk.written[-1] == b"\n"
    assert talk.conversation.let_go_ns == talk.now
    assert (talk.conversation.released_ns is not None) is last
    lost = talk.loses(Word.LINK_LOST).attempt
    assert lost.outcome is (Outcome.UNKNOWN if last else Outcome.FAIL)
    whole = send_talk(stage).hears(ACCEPTS)
    assert b"".join(whole.written) == MAILED + TO + BCC + b"DATA\r\n" + STUFFED
    assert whole.attempt.outcome is Outcome.OK


@pytest.mark.parametrize(
    ("said", "at", "word", "code", "text"),
    [
        ([b"250-one\r\n250-two\r\n250 three\r\n"], Stage.MAIL, None, None, ""),
        ([b"250\r\n"], Stage.MAIL, None, None, ""),
        ([b"250 bare newline\n"], Stage.MAIL, None, None, ""),
        ([b"451 4.3.5 no\r\n"], Stage.MAIL, Word.REFUSED, 451, "4.3.5 no"),
        ([b"550-not\r\n550 here\r\n"], Stage.MAIL, Word.REFUSED, 550, "not\nhere"),
        ([b"421 4.3.2 going down\r\n"], Stage.MAIL, Word.SHUT_DOWN, 421, "4.3.2 going down"),
        ([b"250-one\r\n451 two\r\n"], Stage.CONNECT, Word.GARBAGE, None, TWO),
        ([b"HTTP/1.1 400 Bad Request\r\n"], Stage.CONNECT, Word.GARBAGE, None, "HTTP/1.1 400 Bad Request"),
        ([b"\x16\x03\x01\n"], Stage.CONNECT, Word.GARBAGE, None, "\x16\x03\x01"),
        ([b"100 too small\r\n"], Stage.CONNECT, Word.GARBAGE, None, "100 too small"),
        ([b"250x\r\n"], Stage.CONNECT, Word.GARBAGE, None, "250x"),
        ([b"x" * 70_000], Stage.CONNECT, Word.GARBAGE, None, "a reply over 64 KiB"),
        ([b"250-x\r\n" * 10_000], Stage.CONNECT, Word.GARBAGE, None, "a reply over 64 KiB"),
        ([b""], Stage.CONNECT, Word.LINK_LOST, None, ""),
        ([b"25", b""], Stage.CONNECT, Word.CUT_SHORT, None, ""),
        ([b"250-half\r\n", b""], Stage.CONNECT, Word.CUT_SHORT, None, ""),
        ([b"250 ok\r\n", b""], Stage.MAIL, Word.LINK_LOST, None, ""),
    ],
)  # fmt: skip
def test_a_reply_to_mail_of_every_shape(
    said: list[bytes], at: Stage, word: Word | None, code: int | None, text: str
) -> None:
    talk = send_talk().hears(said)
    if word is None:
        assert not talk.conversation.is_over
        assert talk.written == [MAILED, TO]
        return
    found = talk.attempt
    assert (found.outcome, found.word, found.code, found.text) == (Outcome.FAIL, word, code, text)
    assert found.stage is at
    assert found.released_ns is None, "a refusal before the final dot promises no copy, and is none at it"
    assert not found.refused_at_dot


@pytest.mark.parametrize(
    ("said", "outcome", "word", "closes"),
    [
        ([b"250 ok\r\n"], Outcome.OK, Word.ACCEPTED, False),
        ([b"250-ok\r\n250 queued\r\n"], Outcome.OK, Word.ACCEPTED, False),
        ([b"451 no\r\n"], Outcome.FAIL, Word.REFUSED, False),
        ([b"554 no\r\n"], Outcome.FAIL, Word.REFUSED, False),
        ([b"421 bye\r\n"], Outcome.FAIL, Word.SHUT_DOWN, True),
        ([b"354 more?\r\n"], Outcome.UNKNOWN, Word.GARBAGE, True),
        ([b"ok\r\n"], Outcome.UNKNOWN, Word.GARBAGE, True),
        ([b"250-ok\r\n451 no\r\n"], Outcome.UNKNOWN, Word.GARBAGE, True),
        ([b""], Outcome.UNKNOWN, Word.LINK_LOST, True),
        ([b"250", b""], Outcome.UNKNOWN, Word.CUT_SHORT, True),
        ([b"250 ok\r\n", b""], Outcome.OK, Word.ACCEPTED, True),
        ([b"250 ok\r\n451 no\r\n"], Outcome.OK, Word.ACCEPTED, True),
        ([b"451 no\r\n25"], Outcome.FAIL, Word.REFUSED, True),
    ],
)
def test_a_reply_to_the_final_dot_of_every_shape(
    said: list[bytes], outcome: Outcome, word: Word, closes: bool
) -> None:
    talk = send_talk().hears([*ACCEPTS[:-1], *said])
    assert (talk.attempt.outcome, talk.attempt.word) == (outcome, word)
    assert talk.conversation.will_close is closes
    assert talk.attempt.refused_at_dot is (outcome is Outcome.FAIL)


def test_an_attempt_that_timed_out_after_the_dot_is_unknown_and_keeps_its_word() -> None:
    found = send_talk().hears([*ACCEPTS[:-1], b"25"]).loses(Word.TIMED_OUT).attempt
    assert (found.outcome, found.word, found.stage) == (Outcome.UNKNOWN, Word.TIMED_OUT, Stage.RELEASED)


def test_a_link_lost_before_the_held_byte_was_written_leaves_no_release() -> None:
    talk = Talk(transaction(MAIL, CONTENT), hold_at=Stage.MAIL)
    talk = talk.loses(Word.LINK_LOST)
    ticks = len(talk.attempt.marks)
    talk.conversation.released(99)
    assert len(talk.attempt.marks) == ticks
    assert talk.attempt.completed_ns < 99


def test_a_refused_data_command_is_told_from_a_refused_dot() -> None:
    found = send_talk().hears([*ACCEPTS[:3], b"503 no\r\n"]).attempt
    assert (found.outcome, found.stage, found.refused_at_dot) == (Outcome.FAIL, Stage.DATA, False)
    odd = send_talk().hears([*ACCEPTS[:3], b"250 what?\r\n"]).attempt
    assert (odd.outcome, odd.word) == (Outcome.FAIL, Word.GARBAGE)


def test_a_client_may_go_on_after_a_refused_mail() -> None:
    stubborn = Talk(transaction(MAIL, CONTENT, ignore_mail_reply=True)).hears([b"503 nested\r\n"])
    assert stubborn.written == [MAILED, TO]
    assert (
        Talk(transaction(MAIL, CONTENT, ignore_mail_reply=True)).hears([b"451 no\r\n"]).conversation.is_over
    )


def test_commands_written_together_are_answered_one_by_one_and_the_first_refusal_ends_it() -> None:
    whole = MAILED + TO + b"RCPT TO:<r00041.b01@mrk3f9x2ab.test>\r\nDATA\r\n"
    plain = send_talk().hears(ACCEPTS)
    talk = Talk(transaction(MAIL, CONTENT, together=True)).hears([b"".join(ACCEPTS[:4]), ACCEPTS[4]])
    assert (talk.written[0], b"".join(talk.written)) == (whole, b"".join(plain.written))
    assert [stage for stage, _ in talk.attempt.marks] == [stage for stage, _ in plain.attempt.marks]
    assert talk.attempt.outcome is Outcome.OK
    refused = Talk(transaction(MAIL, CONTENT, together=True)).hears([b"250 ok\r\n550 no\r\n250 ok\r\n"])
    assert (refused.written[1:], refused.attempt.code, refused.attempt.stage) == ([b""], 550, Stage.RCPT)


def test_an_opening_greets_turns_and_authenticates() -> None:
    talk = Talk(opening(starttls=True, auth=("me", "secret")), hold_at=None)
    talk.hears(
        [b"220 hi\r\n", b"250-x\r\n250 STARTTLS\r\n", b"220 turn\r\n", b"250 x\r\n", b"235 welcome\r\n"]
    )
    assert talk.written == [
        b"", b"EHLO localhost\r\n", b"STARTTLS\r\n", b"EHLO localhost\r\n",
        b"AUTH PLAIN AG1lAHNlY3JldA==\r\n", b"",
    ]  # fmt: skip
    assert talk.attempt.outcome is Outcome.OK


@pytest.mark.parametrize("said", [[b"554 no\r\n"], [b"220 hi\r\n", b"502 what?\r\n"]])
def test_an_opening_that_is_refused_is_no_session(said: list[bytes]) -> None:
    talk = Talk(opening(starttls=False, auth=None), hold_at=None).hears(said)
    assert talk.attempt.outcome is Outcome.FAIL


def test_a_reset_is_one_command() -> None:
    assert Talk(reset(), hold_at=None).hears([b"250 ok\r\n"]).written == [b"RSET\r\n", b""]


def test_a_message_for_the_envelope_only_has_every_recipient_in_order() -> None:
    message = replace(MAIL, to=("a@x.test", "b@x.test"), bcc=("c@x.test",))
    talk = send_talk(message=message).hears([ACCEPTS[0]] * 4)
    assert talk.written[1:4] == [
        b"RCPT TO:<a@x.test>\r\n",
        b"RCPT TO:<b@x.test>\r\n",
        b"RCPT TO:<c@x.test>\r\n",
    ]


def test_bytes_of_one_reply_are_kept_for_the_next_feed() -> None:
    parser = ReplyParser()
    assert list(parser.feed(b"250-a\r\n25")) == []
    assert parser.is_midway
    (reply,) = parser.feed(b"0 b\r\n")
    assert (reply.code, reply.text) == (250, "a\nb")
    assert not parser.is_midway
