"""Takes a round's attempts; gives their replies, one line each, so that equal ones can be counted."""

import re
from collections.abc import Iterator

from mailrace.model.attempt import Outcome, RoundRecord, Word

_ID = re.compile(r"\b(?=\w*[0-9A-Z])[0-9A-Za-z]{20,}\b")
_MASKED_LENGTH_MAX = 120


def replies(record: RoundRecord) -> Iterator[str]:
    """The reply of each attempt of the round, retries too: `451 4.3.5 Unable to process mail`.

    Server IDs become `ID`, line breaks become spaces. An attempt without a reply gives its word, `link-lost`;
    a long answer (a reader's) gives its first 120 characters.
    """
    for attempt in record.attempts:
        if attempt.code is None:
            yield attempt.said or attempt.word.value
            continue
        text = " ".join(_ID.sub("ID", attempt.text).split()).removeprefix(str(attempt.code)).lstrip()
        yield f"{attempt.code} {text}".rstrip()[:_MASKED_LENGTH_MAX]


_NO_REPLY = {
    Word.LINK_LOST: "the link of {} ended before its reply was whole",
    Word.CUT_SHORT: "the link of {} ended before its reply was whole",
    Word.GARBAGE: "what {} was told is no reply",
    Word.GATEWAY: "{} was answered by a proxy before the server (HTTP 429 or 502 to 504)",
}


def unanswered(record: RoundRecord) -> tuple[str, ...]:
    """Who was released and got no whole answer from a server that lives, a clause each.

    Such an outcome is unknown: it promises one copy or none, so no promise is broken. But it does not speak
    for the server either, since a race may be why the answer is missing. One who waits in vain is judged as a
    hang.
    """
    told_nothing = [
        _NO_REPLY[a.word].format(a.operation)
        for a in record.attempts
        if a.actor >= 0 and a.released_ns is not None and a.outcome is Outcome.UNKNOWN and a.word in _NO_REPLY
    ]
    return tuple(dict.fromkeys(told_nothing))
