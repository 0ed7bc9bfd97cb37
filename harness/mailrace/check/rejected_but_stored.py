"""`rejected_but_stored`: the store holds a copy of an attempt whose outcome promises none."""

from collections.abc import Iterator

from mailrace.check.evidence import Try, by_message
from mailrace.check.wording import copies_in_words, finding, promise, times, told, who
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord
from mailrace.model.operation import ServerOptions


def rejected_but_stored(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each refused attempt that left a copy, in the order of the plan.

    A reply of 4yz or 5yz to the final dot promises that nothing was stored (RFC 5321 4.2.1); so does a link
    lost or a refusal before the dot is complete (4.1.1.4). A copy that its retry then stores is told here as
    a consequence, not as `duplicated`. `options` change nothing, because no option allows it.
    """
    for key, tries in by_message(record).items():
        for at, one in enumerate(tries):
            if one.is_refused and one.copies:
                later = tries[at + 1 :]
                yield finding(
                    AnomalyName.REJECTED_BUT_STORED,
                    record,
                    f"{who(record, one.attempt)} {told(record, one.attempt)}, "
                    f"{promise(record, one.attempt)}; the store holds "
                    f"{copies_in_words(one.copies)}{_consequence(record, one, later)}.",
                    message=key,
                    attempts=[t.attempt.number for t in (one, *later)],
                    copies=[copy for t in (one, *later) for copy in t.copies],
                )


def _consequence(record: RoundRecord, refused: Try, later: tuple[Try, ...]) -> str:
    accepted = next((t for t in later if t.is_ok), None)
    if accepted is None:
        return ""
    said = f"; its retry {told(record, accepted.attempt)}"
    if not accepted.copies:
        return f"{said} and left no copy of its own"
    total = len(refused.copies) + sum(len(t.copies) for t in later)
    return f"{said}, so the client's one mail is there {times(total)}"
