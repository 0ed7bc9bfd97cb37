"""`foreign_row`: the store holds a row that is no copy of a mail that was sent."""

from collections.abc import Iterator

from mailrace.check.evidence import tries_of
from mailrace.check.wording import finding
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord, StoredMessage
from mailrace.model.operation import ServerOptions, messages_of
from mailrace.model.phrases import listed


def foreign_row(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each row whose sender is no message of the round, or whose mark is no attempt's.

    On a server of ours the whole store is ours, so a copy that lost its sender or its recipients is seen too:
    every row either is a planned copy or is told here.
    """
    if record.stored is None:
        return
    senders = {key: message.sender.lower() for key, message in messages_of(record.plan).items()}
    tried = {(one.message.key, one.attempt.number) for one in tries_of(record)}
    # A row belongs to the round by two marks: its sender names the message, its Reply-To the attempt.
    for row in record.stored.messages:
        if senders.get(row.key) != row.sender.lower():
            wrong = f"its sender, {row.sender or 'nobody'}, sent no mail in this round"
        elif row.attempt and (row.key, row.attempt) not in tried:
            wrong = f"it bears the mark of attempt {row.attempt} of message {row.key}, which was never made"
        else:
            continue
        yield finding(
            AnomalyName.FOREIGN_ROW,
            record,
            f"the store holds a row, {_row_in_words(row)}, that is no copy of a mail: {wrong}.",
            copies=[row],
        )


def _row_in_words(row: StoredMessage) -> str:
    to = listed([*row.to, *row.cc, *row.bcc]) or "nobody"
    return f"ID {row.id}, Message-ID {row.message_id!r}, subject {row.subject!r}, to {to}"
