"""`duplicated` and `retry_duplicate`: more copies than were promised, of what was not refused."""

from collections.abc import Iterator

from mailrace.check.evidence import Try, by_message, units_of
from mailrace.check.wording import copies_in_words, finding, told, who
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import Outcome, RoundRecord, StoredMessage
from mailrace.model.operation import ServerOptions
from mailrace.model.phrases import listed


def duplicated(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each attempt, or with ignore_duplicate_ids each Message-ID, with two or more copies.

    Copies of a refused attempt are `rejected_but_stored` and are not counted here. A Message-ID is read
    from the copies: a retry under a new one (policy `new-id`) is another mail to the server.
    """
    for unit in units_of(record, options):
        stored = [(t, copy) for t in unit.tries if not t.is_refused for copy in t.copies]
        for message_id in dict.fromkeys(copy.message_id for _, copy in stored):
            same = [(t, copy) for t, copy in stored if copy.message_id == message_id]
            if len(same) > 1:
                yield _finding(record, options, same)


def retry_duplicate(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each message with copies of two or more attempts, one of them unknown.

    That is the client's policy and no broken promise: it could not know. With ignore_duplicate_ids it is
    `duplicated`, unless the attempts had different Message-IDs.
    """
    for key, tries in by_message(record).items():
        stored = [t for t in tries if t.copies and not t.is_refused]
        ids = {copy.message_id for t in stored for copy in t.copies}
        # With the option the server must keep one copy of a Message-ID, so two copies break a promise, and
        # `duplicated` tells it.
        if len(stored) < 2 or (options.ignore_duplicate_ids and len(ids) < len(stored)):
            continue
        # Without an unknown outcome the client knew of every copy, so nothing was a guess.
        if not any(t.attempt.outcome is Outcome.UNKNOWN for t in stored):
            continue
        copies = [copy for t in stored for copy in t.copies]
        yield finding(
            AnomalyName.RETRY_DUPLICATE,
            record,
            f"{_told_all(record, stored)}; the store holds {copies_in_words(copies)}: "
            "the retry of an unknown outcome doubled the mail, which is the client's own policy.",
            message=key,
            attempts=[t.attempt.number for t in stored],
            copies=copies,
        )


def _finding(record: RoundRecord, options: ServerOptions, same: list[tuple[Try, StoredMessage]]) -> Anomaly:
    tries = list({id(t): t for t, _ in same}.values())
    copies = [copy for _, copy in same]
    key = tries[0].message.key
    promised = (
        f"the server was told to ignore a Message-ID that it holds, and of {copies[0].message_id} it holds"
        if options.ignore_duplicate_ids
        else "one attempt promises one copy; the store holds"
    )
    return finding(
        AnomalyName.DUPLICATED,
        record,
        f"{_told_all(record, tries)}; {promised} {copies_in_words(copies)}.",
        message=key,
        attempts=[t.attempt.number for t in tries if t.message.key == key],
        copies=copies,
    )


def _told_all(record: RoundRecord, tries: list[Try]) -> str:
    return listed([f"{who(record, t.attempt)} {told(record, t.attempt)}" for t in tries])
