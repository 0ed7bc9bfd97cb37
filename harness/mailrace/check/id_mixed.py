"""`id_mixed`: a reply names or shows the wrong mail, or names no stored one, or two replies name the same."""

from collections.abc import Container, Iterator

from mailrace.check.evidence import Try, tries_of
from mailrace.check.orders import first_attempts
from mailrace.check.outcome import shown_key
from mailrace.check.touched import deletable
from mailrace.check.wording import copies_in_words, finding, told, who
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import Outcome, RoundRecord, StoredMessage
from mailrace.model.operation import Effect, ServerOptions, messages_of
from mailrace.model.phrases import listed


def id_mixed(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each accepted attempt that was told a wrong ID, in the order of the plan.

    `250 … queued as ID` and the answer of `POST /send` name the row that the message became. An attempt
    whose copy is gone can only be compared with the other rows and replies. With ignore_duplicate_ids a
    reply to an ignored message may name the row because of which it was ignored. An ID may be used again once
    its message is deleted, so given messages that the round may delete are not compared.

    Then one finding for each client that asked for one message and was shown another. Serial orders would
    miss that: a server that counts from the newest mail shows the wrong one in a serial order, too.
    """
    if record.stored is None:
        return
    may_be_gone = deletable(record, options)
    yield from _shown(record, may_be_gone)
    tries = [
        one
        for one in tries_of(record)
        if one.attempt.queued_as and not (one.attempt.actor < 0 and one.message.key in may_be_gone)
    ]
    # Each ID that a client was told is compared with the row of that ID, and with the other replies.
    rows = {copy.id: copy for copy in record.stored.messages}
    for one in tries:
        told_id = one.attempt.queued_as
        same = [t for t in tries if t is not one and t.attempt.queued_as == told_id]
        row = rows.get(told_id)
        if options.ignore_duplicate_ids:
            # Any message of one Message-ID may stand for the others.
            shared = one.message.message_id
            same = [t for t in same if t.message.message_id != shared]
            is_own = row is not None and row.message_id == shared
        else:
            is_own = row is not None and (row.key, row.attempt) == (one.message.key, one.attempt.number)
        if row is not None and not is_own:
            wrong = f"and that is the row of {_owner(row)}"
        elif same:
            wrong = f"and so was {listed([who(record, t.attempt) for t in same])}"
        elif row is None and one.copies:
            wrong = f"and the store holds its {copies_in_words(one.copies).removeprefix('one ')}"
        else:
            continue
        yield _finding(record, one, wrong)


def _shown(record: RoundRecord, may_be_gone: Container[str]) -> Iterator[Anomaly]:
    own = messages_of(record.plan)
    for actor, first in first_attempts(record).items():
        operation = record.plan.operations[actor]
        if not operation.effect & Effect.SHOWS or first.outcome is not Outcome.OK:
            continue
        for asked in (key for key in dict.fromkeys(operation.named) if key not in may_be_gone):
            # Where the reply may show the right message, the serial orders decide.
            if (key := shown_key(record, first)) != asked and key in own:
                proof = f"{who(record, first)} {told(record, first)}, and was shown message {key} instead."
                yield finding(AnomalyName.ID_MIXED, record, proof, message=asked, attempts=[first.number])


def _finding(record: RoundRecord, one: Try, wrong: str) -> Anomaly:
    return finding(
        AnomalyName.ID_MIXED,
        record,
        f"{who(record, one.attempt)} {told(record, one.attempt)} with the ID {one.attempt.queued_as}, "
        f"{wrong}.",
        message=one.message.key,
        attempts=[one.attempt.number],
        copies=one.copies,
    )


def _owner(row: StoredMessage) -> str:
    return f"attempt {row.attempt} of message {row.key}" if row.key else "a mail without a sender"
