"""`older_changed`: a mail that was stored before is altered or gone, though nothing touched it."""

from collections.abc import Iterator

from mailrace.check.wording import finding
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import Changed, RoundRecord, StoredMessage
from mailrace.model.operation import ServerOptions
from mailrace.model.phrases import listed

_FIELDS = (
    ("message_id", "Message-ID"),
    ("sender", "sender"),
    ("to", "To"),
    ("cc", "Cc"),
    ("bcc", "Bcc"),
    ("reply_to", "Reply-To"),
    ("subject", "subject"),
    ("tags", "tags"),
    ("read", "read flag"),
    ("size", "size"),
    ("snippet", "snippet"),
    ("attachments", "number of attachments"),
    ("names", "names"),
    ("created_ms", "time of arrival"),
)


def older_changed(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each row of an earlier round that is no longer as it was when its round was judged.

    `mailrace.race.verify`, which reads the store, knows which rows may have been touched meanwhile.
    """
    for changed in record.stored.changed if record.stored is not None else ():
        yield finding(
            AnomalyName.OLDER_CHANGED,
            record,
            f"nothing that ran since it was last looked at touches it, and {_in_words(changed)}.",
            copies=[changed.after or changed.before],
            message=changed.before.key,
        )


def _in_words(changed: Changed) -> str:
    before, after = changed.before, changed.after
    if after is None:
        return f"its copy, ID {before.id}, is gone"
    return f"its copy, ID {before.id}, has changed: {listed(differences(before, after))}"


def differences(before: StoredMessage, after: StoredMessage) -> list[str]:
    """What has changed in a row, each in words; empty where nothing has."""
    found = []
    for field, name in _FIELDS:
        was, now = getattr(before, field), getattr(after, field)
        if was != now:
            found.append(f"its {name} was {_value(was)} and is {_value(now)}")
    now_differs = after.source.difference if after.source else ""
    if now_differs and not (before.source and before.source.difference):
        found.append(f"its source has changed: {now_differs}")
    return found


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return listed([repr(one) for one in value]) or "empty"
    return repr(value)
