"""`content_mixed`: a stored mail is not the mail that was sent."""

from collections.abc import Iterator, Mapping

from mailrace.check.evidence import copies_with_message
from mailrace.check.tags import clean_tag, tag_key, tags_named
from mailrace.check.wording import about_copy
from mailrace.model.anomaly import Anomaly, AnomalyName
from mailrace.model.attempt import RoundRecord, StoredMessage
from mailrace.model.operation import Message, ServerOptions, messages_of
from mailrace.model.phrases import listed
from mailrace.model.secrets import without_secrets

HEAD_BYTES_MAX = 8_192
"""More than any head has that we send without a user's own headers, with all that a server puts before it."""


def content_mixed(record: RoundRecord, options: ServerOptions) -> Iterator[Anomaly]:
    """One finding for each copy whose subject, Message-ID, snippet, size or source is not its message's.

    The copy's sender and mark tell which message it belongs to; `envelope_leaked` judges its recipients. For
    a user's own message, subject, snippet and size are not known here, so only its source is compared.
    """
    spelt: dict[str, set[str]] = {}
    for tag in tags_named(record.plan):
        spelt.setdefault(tag_key(tag), set()).add(clean_tag(tag))
    for copy, message in copies_with_message(record):
        if complaints := _complaints(copy, message, record, spelt):
            yield about_copy(AnomalyName.CONTENT_MIXED, record, copy, f"{listed(complaints)}.")


def _complaints(
    copy: StoredMessage, message: Message, record: RoundRecord, spelt: Mapping[str, set[str]]
) -> list[str]:
    """`spelt`: by the key of each tag of the round, how it is spelt."""
    is_generated = message.file_sha256 is None
    complaints: list[str] = []
    if is_generated and copy.subject != message.shown_subject:
        complaints.append(
            f"has the subject {copy.subject!r}{_whose(record, subject=copy.subject)} "
            f"where {message.shown_subject!r} was sent"
        )
    if copy.message_id not in _ids_of(message, copy.attempt):
        complaints.append(
            f"has the Message-ID {copy.message_id!r}{_whose(record, message_id=copy.message_id)} "
            f"where {message.message_id!r} was sent"
        )
    # This holds for a user's own text too: its addresses have no names, and its tags are all asked for.
    if copy.names:
        names = listed([repr(name) for name in copy.names])
        complaints.append(f"is listed with the name {names} where none was sent")
    complaints += _of_the_tags(copy, record, spelt)
    if is_generated:
        attached = int(message.image_bytes > 0)
        if copy.attachments not in (None, attached):
            complaints.append(f"is listed with {copy.attachments} attachments where {attached} were sent")
        complaints += _of_the_text(copy, message)
    # The source was compared only where that was asked for.
    if copy.source is not None:
        if copy.source.difference:
            complaints.append(f"has another source: {copy.source.difference}")
        elif copy.size != copy.source.size_bytes:
            complaints.append(
                f"is listed with {copy.size} bytes where its source has {copy.source.size_bytes}"
            )
    return complaints


def _of_the_text(copy: StoredMessage, message: Message) -> list[str]:
    """What snippet and size show of a generated body; both stand in the list, so every copy is judged."""
    complaints: list[str] = []
    if copy.snippet is not None and not copy.snippet.startswith(message.first_words):
        snippet = without_secrets(copy.snippet)[:40]
        complaints.append(f"has the snippet {snippet!r} where the text begins with {message.first_words!r}")
    # A text that came over REST may be stored as base64, which is longer by a third.
    largest = message.body_bytes * 3 // 2 + HEAD_BYTES_MAX + 300 * len(message.recipients)
    largest += sum(len(name) + len(value) for name, value in message.headers)
    largest += 8 * sum(len(tag) for tag in message.tags)
    if not message.body_bytes <= copy.size <= largest:
        complaints.append(
            f"is listed with {copy.size} bytes where a text of {message.body_bytes} bytes was sent"
        )
    return complaints


def _of_the_tags(copy: StoredMessage, record: RoundRecord, spelt: Mapping[str, set[str]]) -> list[str]:
    """This round's own tags in a spelling that nobody used: the server has to keep the first spelling."""
    own = [tag for tag in copy.tags if record.plan.token.lower() in tag.lower()]
    return [
        f"has the tag {tag!r} in a spelling that nobody used: {listed(sorted(asked))} was asked for"
        for tag in own
        if (asked := spelt.get(tag_key(tag), set())) and clean_tag(tag) not in asked
    ]


def _ids_of(message: Message, attempt: int) -> tuple[str, ...]:
    """The Message-IDs that the attempt may have sent: a retry by policy `new-id` has one of its own."""
    own = (message.message_id,)
    return own if attempt < 2 else (*own, f"again{attempt}.{message.message_id}")


def _whose(record: RoundRecord, *, subject: str = "", message_id: str = "") -> str:
    for key, message in messages_of(record.plan).items():
        if subject == message.shown_subject or message_id == message.message_id:
            return f" of message {key}"
    return ""
