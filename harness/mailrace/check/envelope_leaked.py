"""`envelope_leaked`: a recipient or sender of one message stands on another."""

from collections.abc import Iterator
from email.utils import getaddresses

from mailrace.check.evidence import copies_with_message
from mailrace.check.wording import about_copy
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord, StoredMessage
from mailrace.model.operation import Message, ServerOptions
from mailrace.model.phrases import listed


def envelope_leaked(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each copy whose addresses are not its message's own.

    Mailpit puts recipients that are only in the envelope into Bcc, so To, Cc and Bcc together must be the
    message's recipients, and Reply-To the mark of one of its attempts. A user's own message file may name
    further people, so in its copies only addresses in the run's domain are judged.
    """
    for copy, message in copies_with_message(record):
        if complaints := _complaints(copy, message):
            yield about_copy(AnomalyName.ENVELOPE_LEAKED, record, copy, f"{listed(complaints)}.")


def _complaints(copy: StoredMessage, message: Message) -> list[str]:
    own = {address.lower() for address in message.recipients}
    shown = {address.lower() for address in copy.to + copy.cc + copy.bcc}
    foreign = sorted(a for a in shown - own - _named_in_headers(message) if _is_judged(a, message))
    missing = sorted(own - shown)
    complaints: list[str] = []
    if foreign:
        complaints.append(f"names {listed(foreign)}, to whom this message was not sent")
    if missing:
        complaints.append(f"does not name {listed(missing)}, to whom it was sent")
    if not copy.attempt or copy.reply_to[0].partition("@")[2] != message.domain.lower():
        complaints.append(
            f"bears Reply-To {listed(copy.reply_to) or 'of nobody'}, which none of its attempts wrote"
        )
    return complaints


def _is_judged(address: str, message: Message) -> bool:
    return message.file_sha256 is None or address.endswith(f"@{message.domain}".lower())


def _named_in_headers(message: Message) -> set[str]:
    values = [value for name, value in message.headers if name.lower() in {"to", "cc", "bcc"}]
    return {address.lower() for _, address in getaddresses(values)}
