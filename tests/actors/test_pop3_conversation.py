"""A POP3 session byte by byte: what is written before the held byte, and replies of every shape."""

import pytest
from mailrace.actors import script_of
from mailrace.actors.pop3 import Pop3Parser
from mailrace.model.attempt import Outcome, Stage, Word
from mailrace.model.errors import InternalError
from mailrace.model.operation import Operation, Pop3Delete, Pop3Retrieve

from tests.actors.wire import Talk

IDS = {"g1": "aaaa", "g2": "bbbb"}
API = "http://127.0.0.1:8025"
GREETING, OK = b"+OK Mailpit POP3 server\r\n", b"+OK\r\n"
UIDL = b"+OK unique-id listing follows\r\n1 cccc\r\n2 bbbb\r\n3 aaaa\r\n.\r\n"
LOGGED_IN = (GREETING, OK, b"+OK signed in\r\n", UIDL)
BYE = (b"+OK goodbye\r\n", b"")
RETRIEVE = Pop3Retrieve(key="r", message="g2")
DELETE = Pop3Delete(key="d", messages=("g1", "g2"))


def pop3_talk(operation: Operation) -> Talk:
    parser = Pop3Parser()
    return Talk(script_of(operation, 1, IDS, {}, parser, api=API, auth=("me", "secret")), parser)


def test_who_retrieves_logs_in_and_holds_the_last_byte_of_retr() -> None:
    mail = b"+OK 20 octets\r\nX-Mailrace: x\r\n\r\n..a dot\r\n.\r\n"
    talk = pop3_talk(RETRIEVE).hears((*LOGGED_IN, mail[:20], mail[20:], *BYE))
    assert b"".join(talk.written) == b"USER me\r\nPASS secret\r\nUIDL\r\nRETR 2\r\nQUIT\r\n"
    assert talk.written[4:6] == [b"RETR 2\r", b"\n"]
    found = talk.attempt
    assert (found.outcome, found.word, found.code) == (Outcome.OK, Word.ACCEPTED, None)
    assert found.text == "+OK 20 octets\nX-Mailrace: x\n\n.a dot"
    assert (found.said, found.refused_at_dot) == ("+OK 20 octets", False)
    stages = [stage for stage, _ in found.marks]
    assert stages == [Stage.GREETING, *[Stage.LOGIN] * 3, Stage.HELD, Stage.RELEASED, *[Stage.REPLY] * 3]


def test_who_deletes_marks_first_and_never_writes_half_a_quit() -> None:
    talk = pop3_talk(DELETE).hears((*LOGGED_IN, OK, OK))
    assert talk.written[-2:] == [b"", b"QUIT\r\n"], "a QUIT that is cut off deletes, too"
    assert b"".join(talk.written).endswith(b"UIDL\r\nDELE 3\r\nDELE 2\r\nQUIT\r\n")
    talk.hears(BYE[:1])
    assert not talk.conversation.is_over, "it is answered before anything is deleted"
    found = talk.hears(BYE[1:]).attempt
    assert (found.outcome, found.word, found.text) == (Outcome.OK, Word.ACCEPTED, "+OK goodbye")
    assert found.completed_ns == talk.now


def test_a_second_dele_of_a_message_may_be_refused_and_a_first_one_not() -> None:
    twice = Pop3Delete(key="d", messages=("g1", "g1"))
    refusal = b"-ERR message already deleted\r\n"
    assert pop3_talk(twice).hears((*LOGGED_IN, OK, refusal, *BYE)).attempt.outcome is Outcome.OK
    found = pop3_talk(DELETE).hears((*LOGGED_IN, refusal)).attempt
    assert (found.outcome, found.released_ns) == (Outcome.FAIL, None)


@pytest.mark.parametrize(
    ("said", "outcome", "word", "text"),
    [
        ((b"-ERR Too many connections\r\n",), Outcome.FAIL, Word.REFUSED, "-ERR Too many connections"),
        ((GREETING, OK, b"-ERR invalid password\r\n"), Outcome.FAIL, Word.REFUSED, "-ERR invalid password"),
        ((GREETING, OK, OK, b"+OK\r\n.\r\n"), Outcome.FAIL, Word.REFUSED,
            "its POP3 does not list g2, which is stored: it lists 0 messages"),
        ((b"220 fake ESMTP\r\n",), Outcome.FAIL, Word.GARBAGE, "220 fake ESMTP"),
        ((GREETING, b""), Outcome.FAIL, Word.LINK_LOST, ""),
        ((*LOGGED_IN, b"-ERR no such message\r\n", *BYE), Outcome.FAIL, Word.REFUSED, "-ERR no such message"),
        ((*LOGGED_IN, b"+OK 9 octets\r\nhalf", b""), Outcome.UNKNOWN, Word.CUT_SHORT, ""),
        ((*LOGGED_IN, b"", b""), Outcome.UNKNOWN, Word.LINK_LOST, ""),
        ((*LOGGED_IN, b"+OK 1 octets\r\na\r\n.\r\n", b""), Outcome.OK, Word.ACCEPTED, "+OK 1 octets\na"),
    ],
)  # fmt: skip
def test_a_session_of_every_shape(said: tuple[bytes, ...], outcome: Outcome, word: Word, text: str) -> None:
    found = pop3_talk(RETRIEVE).hears(said).attempt
    assert (found.outcome, found.word, found.text, found.code) == (outcome, word, text, None)


def test_a_quit_that_is_only_closed_promises_nothing() -> None:
    found = pop3_talk(DELETE).hears((*LOGGED_IN, OK, OK, b"")).attempt
    assert (found.outcome, found.word) == (Outcome.UNKNOWN, Word.LINK_LOST)
    assert found.text == "the server closed without an answer to QUIT"


def test_pop3_needs_a_connection_and_a_login_of_its_own() -> None:
    with pytest.raises(InternalError, match="POP3"):
        script_of(DELETE, 1, IDS, {}, Pop3Parser(), api=API)
    with pytest.raises(InternalError, match="no server ID"):
        pop3_talk(Pop3Delete(key="d", messages=("g9",)))
