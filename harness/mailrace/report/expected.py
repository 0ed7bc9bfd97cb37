"""Takes a RoundRecord; gives by message what its senders were told, what that promises, what is stored.

Nothing is judged here: the anomalies say whether a promise is broken. In a round with a deletion or a tag
edit the replies to a message alone do not say what is promised, so no promise is given there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mailrace.model.anomaly import Anomaly
from mailrace.model.attempt import Outcome, RoundRecord
from mailrace.model.operation import EDITS, messages_of
from mailrace.report.words import legible, reply_words


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message of a round.

    told      each attempt's reply in words, with its time
    promised  copies that these replies promise, e.g. `1`, `0 or 1`; "" where none can be read off
    copies    (server ID, attempt that sent it, tags) of each copy found
    broken    names of the anomalies that are about this message
    """

    key: str
    subject: str
    told: tuple[str, ...]
    promised: str
    copies: tuple[tuple[str, int, tuple[str, ...]], ...]
    tags: tuple[str, ...]
    broken: tuple[str, ...]


def message_rows(record: RoundRecord, anomalies: Iterable[Anomaly] = ()) -> tuple[MessageRow, ...]:
    """The messages of a round in the order of the plan, and last the copies that are of none of them."""
    edited = any(isinstance(operation, EDITS) for operation in record.plan.operations)
    found = record.stored.messages if record.stored is not None else ()
    broken: dict[str | None, list[str]] = {}
    for anomaly in anomalies:
        broken.setdefault(anomaly.message, []).append(anomaly.name.value)
    rows: list[MessageRow] = []
    planned = messages_of(record.plan)
    for key, message in planned.items():
        attempts = [a for a in record.attempts if a.message == key]
        is_given = any(g.key == key for g in record.plan.given)
        least = sum(1 for a in attempts if a.outcome is Outcome.OK)
        most = least + sum(1 for a in attempts if a.outcome is Outcome.UNKNOWN)
        # Where the round itself deletes or changes messages, the right number of copies depends on the order
        # in which they ran, so no number is promised.
        if edited:
            promised = ""
        elif not attempts:
            promised = "1" if is_given else ""
        else:
            promised = str(least) if least == most else f"{least} to {most}"
        rows.append(
            MessageRow(
                key=key,
                subject=legible(message.subject, 160),
                told=tuple(
                    f"{reply_words(a)} at {(a.completed_ns - record.released_ns) / 1e6:.3f} ms"
                    for a in attempts
                )
                or (("stored before the round",) if is_given else ()),
                promised=promised,
                copies=tuple((c.id, c.attempt, c.tags) for c in found if c.key == key),
                tags=message.tags,
                broken=tuple(broken.get(key, ())),
            )
        )
    # Every planned message has its row. Copies that belong to none of them must not be left out.
    strange = tuple((c.id, c.attempt, c.tags) for c in found if c.key not in planned)
    if strange:
        rows.append(MessageRow("other", "of no message of this round", (), "", strange, (), ()))
    return tuple(rows)
