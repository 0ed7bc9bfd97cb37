"""What a POP3 connection says: retrievals, deletions that only QUIT makes true, and lost links."""

import pytest
from mailrace.model.attempt import Outcome
from mailrace.record.pop3 import Pop3Watch

from tests.record.traffic import Told

LOGIN = [
    ("S", b"+OK hi\r\n"),
    ("C", b"USER secret-user\r\n"),
    ("S", b"+OK\r\n"),
    ("C", b"PASS secret-pass\r\n"),
    ("S", b"+OK\r\n"),
    ("C", b"UIDL\r\n"),
    ("S", b"+OK\r\n1 AAA\r\n2 BBB\r\n.\r\n"),
    ("C", b"RETR 1\r\n"),
    ("S", b"+OK\r\nSubject: x\r\n\r\n..dot\r\n.\r\n"),
    ("C", b"DELE 2\r\n"),
    ("S", b"+OK\r\n"),
]


def watched(conversation: list[tuple[str, bytes]]) -> Told:
    """What is told of a conversation."""
    told = Told()
    watch = Pop3Watch(told.teller)
    for t_ns, (side, data) in enumerate(conversation):
        (watch.client_sent if side == "C" else watch.server_sent)(data, t_ns)
    watch.ended(len(conversation))
    return told


def test_a_deletion_is_told_when_quit_confirms_it() -> None:
    told = watched([*LOGIN, ("C", b"QUIT\r\n"), ("S", b"+OK bye\r\n")])
    assert [(one.kind, one.ids, one.outcome) for one in told.operations] == [
        ("retrieve", ("AAA",), Outcome.OK),
        ("mark_deleted", ("BBB",), Outcome.OK),
        ("delete", ("BBB",), Outcome.OK),
    ]
    assert "secret" not in repr(told.operations)


@pytest.mark.parametrize(
    ("last", "kinds"),
    [([], ["retrieve", "mark_deleted"]), ([("C", b"QUIT\r\n")], ["retrieve", "mark_deleted", "delete"])],
)
def test_a_lost_link_deletes_nothing_before_quit_and_leaves_it_unknown_after(
    last: list[tuple[str, bytes]], kinds: list[str]
) -> None:
    told = watched([*LOGIN, *last])
    assert [one.kind for one in told.operations] == kinds
    assert all(one.outcome is Outcome.UNKNOWN for one in told.operations if one.kind == "delete")
