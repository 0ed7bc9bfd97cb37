"""Which of the texts that the server also sends by itself can be an operation's own."""

import pytest
from mailrace.model.operation import Delete, DeleteAll, Operation, Read
from mailrace.steer.database_proxy.statement_text import BROADCAST_END, COUNT_ALL, may_be_own

DELETE_ALL, READ = DeleteAll(key="delete_all.1"), Read(key="read.1", path="/api/v1/messages", times=1)
DELETE = Delete(key="delete.1", messages=("old",))


@pytest.mark.parametrize(
    ("operation", "sent", "text", "is_own"),
    [
        (DELETE_ALL, 0, COUNT_ALL, True),
        (DELETE_ALL, 1, COUNT_ALL, False),
        (DELETE_ALL, 0, BROADCAST_END, False),  # the second half of a broadcast whose first came before
        (READ, 2, BROADCAST_END, True),
        (DELETE, 0, COUNT_ALL, False),
    ],
)
def test_what_is_taken_for_an_actors_own(operation: Operation, sent: int, text: str, is_own: bool) -> None:
    assert may_be_own(operation, sent, text) is is_own
