"""A round's attempts to the replies that they got, one line each, so that equal ones can be counted."""

import re
from collections.abc import Iterator

from mailrace.model.attempt import Outcome, RoundRecord, Word

_ID = re.compile(r"\b(?=\w*[0-9A-Z])[0-9A-Za-z]{20,}\b")
_MASKED_LENGTH_MAX = 120


def replies(record: RoundRecord) -> Iterator[str]:
    """The reply of each attempt of the round, retries too: `451 4.3.5 Unable to process mail`.

    Server IDs become `ID`, line breaks spaces; an attempt without a reply is its word, `link-lost`. Of a
    long answer (a reader's) the first 120 characters stand.
    """
    for attempt in record.attempts:
        if attempt.code is None:
            yield attempt.said or attempt.word.value
            continue
        text = " ".join(_ID.sub("ID", attempt.text).split()).removeprefix(str(attempt.code)).lstrip()
        yield f"{attempt.code} {text}".rstrip()[:_MASKED_LENGTH_MAX]


def unanswered(record: RoundRecord) -> tuple[str, ...]:
    """Whose link the server ended after the release and before its reply was whole, a clause each.

    Such an outcome is unknown: it promises one copy or none, so no promise is broken. But it is nothing that
    speaks for the server either, for a race may be why nobody was told.
    """
    ended = [
        f"the link of {a.operation} ended before its reply was whole"
        for a in record.attempts
        if a.actor >= 0
        and a.released_ns is not None
        and a.outcome is Outcome.UNKNOWN
        and a.word in (Word.LINK_LOST, Word.CUT_SHORT)
    ]
    return tuple(dict.fromkeys(ended))
